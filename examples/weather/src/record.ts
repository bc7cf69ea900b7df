// The record: daily weather of two cities over four years, as the text of a CSV file becomes typed days.
// Data: NOAA, by way of vega-datasets and the npm package @observablehq/sample-datasets (weather.csv).

export const cities = ['Seattle', 'New York'] as const;
export type City = (typeof cities)[number];

export interface Day {
  /** Midnight, UTC. */
  readonly date: Date;
  /** The day's highest temperature, °C. */
  readonly temperature: number;
}

/** The days of one city, in order. @throws Error naming the line that is not as expected. */
export function readRecord(csv: string, city: City): readonly Day[] {
  const [header = '', ...lines] = csv.trim().split(/\r?\n/);
  const column = (name: string): number => {
    const at = header.split(',').indexOf(name);
    if (at < 0) throw new Error(`weather record: expected a column "${name}", got ${header}.`);
    return at;
  };
  const [location, date, temperature] = [column('location'), column('date'), column('temp_max')];
  return lines.flatMap((line, at) => {
    const cells = line.split(',');
    if (cells[location] !== city) return [];
    const day = { date: new Date(`${cells[date]}T00:00:00Z`), temperature: Number(cells[temperature]) };
    if (!cells[temperature] || !Number.isFinite(day.date.getTime() + day.temperature)) {
      throw new Error(`weather record: line ${at + 2} is not a day with a temperature: ${line}`);
    }
    return [day];
  });
}
