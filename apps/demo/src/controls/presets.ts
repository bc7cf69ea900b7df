// Formulas to begin with: each shows something that a number after a dot product cannot say.

export interface Preset {
  readonly label: string;
  readonly formula: string;
}

export const presets: readonly Preset[] = [
  { label: 'Gaussian', formula: '-dot(q - k, q - k) / (2 * bandwidth^2)' },
  { label: 'Cauchy', formula: '-log(1 + dot(q - k, q - k) / bandwidth^2)' },
  { label: 'Largest feature', formula: '-max(abs(q - k)) / bandwidth' },
  { label: 'City block', formula: '-sum(abs(q - k)) / bandwidth' },
  { label: 'Steps apart', formula: '-abs(query - key) / bandwidth' },
  { label: 'Flat inside', formula: 'd = norm(q - k);\nif d < bandwidth then 0 else -d' },
];
