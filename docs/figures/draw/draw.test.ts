import { describe, expect, it } from 'vitest';
import { grid, titled } from './arrange.ts';
import { matrix } from './matrix.ts';
import { bars, plot } from './plot.ts';
import { figure } from './svg.ts';

const rect = { width: 10, height: 20, body: '<rect/>' };

describe('matrix', () => {
  it('has a cell for each number but zero, as strong as its share, and another colour below zero', () => {
    const { width, height, body } = matrix([
      [1, 0],
      [-0.5, 1],
    ]);
    expect([width, height]).toEqual([28, 28]);
    expect(body).toContain(
      '<path class="blue" fill-opacity="1" d="M0.5 0.5h13v13h-13zM14.5 14.5h13v13h-13z"/>',
    );
    expect(body).toContain('<path class="orange" fill-opacity="0.52" d="M0.5 14.5h13v13h-13z"/>');
    expect(body.match(/fill-opacity/g)).toHaveLength(2);
  });

  it('has room for words beside rows and above columns', () => {
    const { width, height, body } = matrix([[1]], { rows: ['dog'], columns: ['<eos>'] });
    expect(width).toBeGreaterThan(14);
    expect(height).toBe(30);
    expect(body).toContain('>dog</text>');
    expect(body).toContain('>&lt;eos&gt;</text>');
  });
});

describe('plot and bars', () => {
  it('put numbers where the axes say', () => {
    const axis = { from: 0, to: 1, ticks: [0, 1] };
    const line = {
      label: 'rising',
      points: [
        [0, 0],
        [1, 1],
      ] as const,
    };
    const { body } = plot([line], { x: axis, y: axis, width: 100, height: 50 });
    expect(body).toContain('d="M30.0 58.0L130.0 8.0"');
    expect(body).toContain('>rising</text>');
  });

  it('draw negative numbers down from zero', () => {
    const { body } = bars([1, -0.5, 0], { width: 30, height: 40 });
    expect(body).toContain('y="0" width="7" height="20"');
    expect(body).toContain('y="20" width="7" height="10"');
    expect(body.match(/<rect/g)).toHaveLength(2);
  });
});

describe('figures', () => {
  it('arrange drawings in rows, each column as wide as its widest', () => {
    const { width, height, body } = grid([rect, titled(rect, 'a long title'), rect], { columns: 2, gap: 5 });
    expect([width, height]).toEqual([10 + 5 + 80, 40 + 5 + 20]);
    expect(body).toContain('translate(15 0)');
    expect(body).toContain('translate(0 45)');
  });

  it('bring their own paper, and words for those who cannot see them', () => {
    const svg = figure(rect, 'one & another');
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" width="42" height="52"/);
    expect(svg).toContain('<title>one &amp; another</title>');
    expect(svg).toContain('prefers-color-scheme:dark');
  });
});
