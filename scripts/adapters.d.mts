export function drivers(): Readonly<Record<string, string>>;
export function provide(): void;
