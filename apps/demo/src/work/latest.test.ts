import { describe, expect, it } from 'vitest';
import { latestWins } from './latest.ts';

describe('latestWins', () => {
  const open = () => {
    const sent: number[] = [];
    return { sent, queue: latestWins<number>((question) => sent.push(question)) };
  };

  it('sends the first question at once', () => {
    const { sent, queue } = open();
    queue.ask(1);
    expect(sent).toEqual([1]);
  });

  it('keeps only the newest of those asked meanwhile', () => {
    const { sent, queue } = open();
    for (const question of [1, 2, 3, 4]) queue.ask(question);
    expect(sent).toEqual([1]);
    queue.answered();
    expect(sent).toEqual([1, 4]);
    queue.answered();
    expect(sent).toEqual([1, 4]);
  });

  it('is free again when everything is answered', () => {
    const { sent, queue } = open();
    queue.ask(1);
    queue.answered();
    queue.ask(2);
    expect(sent).toEqual([1, 2]);
  });
});
