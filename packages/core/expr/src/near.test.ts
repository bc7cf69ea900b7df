import { describe, expect, it } from 'vitest';
import { near } from './near.ts';

describe('near', () => {
  it('finds names with a slip or two, the closest first', () => {
    expect(near('sigmod', ['sigmoid', 'sign', 'mod'])).toEqual(['sigmoid']);
    expect(near('tahn', ['tanh', 'than'])).toEqual(['tanh', 'than']);
    expect(near('Left', ['left', 'lefty', 'right'])).toEqual(['left', 'lefty']);
  });

  it('finds nothing where nothing is near, and takes short names strictly', () => {
    expect(near('completely', ['different'])).toEqual([]);
    expect(near('q', ['ab'])).toEqual([]);
  });

  it('gives three at most', () => {
    expect(near('a1', ['a2', 'a3', 'a4', 'a5'])).toEqual(['a2', 'a3', 'a4']);
  });
});
