import { type Allocation, BackendError, DisposedError, OutOfMemoryError } from '@heed/tensor';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FreeList } from './free-list.ts';
import { Memory } from './memory.ts';

const open = (limit: number, options: Partial<ConstructorParameters<typeof Memory>[0]> = {}) =>
  new Memory({
    limit,
    maximumPages: Math.ceil(limit / 65536) + 64,
    shared: false,
    reserved: 4096,
    poison: true,
    ...options,
  });

describe('FreeList', () => {
  it('never gives a byte twice and becomes whole again', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 60 }), fc.nat()), { maxLength: 80 }),
        (steps) => {
          const list = new FreeList();
          list.add(100, 1000);
          const held: { address: number; bytes: number }[] = [];
          for (const [bytes, pick] of steps) {
            const address = pick % 3 === 0 ? undefined : list.take(bytes);
            if (address === undefined) {
              const [one] = held.splice(pick % Math.max(1, held.length), 1);
              if (one) list.add(one.address, one.bytes);
              continue;
            }
            expect(address).toBeGreaterThanOrEqual(100);
            expect(address + bytes).toBeLessThanOrEqual(1100);
            for (const one of held)
              expect(address >= one.address + one.bytes || address + bytes <= one.address).toBe(true);
            held.push({ address, bytes });
          }
          for (const one of held) list.add(one.address, one.bytes);
          expect(list.take(1000)).toBe(100);
        },
      ),
    );
  });
});

describe('Memory', () => {
  it('keeps what is written, wherever it grows', () => {
    const memory = open(2 ** 26);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 300_000 }), { maxLength: 30 }), (sizes) => {
        const held = sizes.map((bytes, i) => {
          const allocation = memory.allocate(bytes);
          memory.range(allocation, 0, bytes, 'test').fill(i + 1);
          expect(memory.address(allocation, 'test') % 16).toBe(0);
          return allocation;
        });
        held.forEach((allocation, i) => {
          expect(memory.range(allocation, 0, allocation.bytes, 'test').every((byte) => byte === i + 1)).toBe(
            true,
          );
          memory.free(allocation);
        });
      }),
      { numRuns: 20 },
    );
  });

  it('uses again what was freed', () => {
    const memory = open(2 ** 24);
    const pages = () => memory.wasm.buffer.byteLength;
    memory.free(memory.allocate(2 ** 22));
    const before = pages();
    for (let i = 0; i < 50; i++) memory.free(memory.allocate(2 ** 22));
    expect(pages()).toBe(before);
  });

  it('is poisoned when fresh and when freed, if asked', () => {
    const memory = open(2 ** 20);
    const one = memory.allocate(8);
    expect([...memory.range(one, 0, 8, 'test')]).toEqual(Array(8).fill(255));
  });

  it('says what was asked, held and allowed when it is full, and goes on', () => {
    const memory = open(1_000_000);
    const held: Allocation = memory.allocate(600_000);
    expect(() => memory.allocate(500_000)).toThrow(OutOfMemoryError);
    expect(() => memory.allocate(500_000)).toThrow('asked for 500000 bytes while 600000 of 1000000 are held');
    const more = memory.allocate(400_000);
    memory.free(held);
    memory.free(more);
    expect(memory.allocate(1_000_000).bytes).toBe(1_000_000);
  });

  it('is full where WebAssembly gives no more, and goes on', () => {
    const memory = open(2 ** 30, { maximumPages: 32 });
    expect(() => memory.allocate(2 ** 22)).toThrow(OutOfMemoryError);
    expect(memory.allocate(2 ** 20).bytes).toBe(2 ** 20);
  });

  it('refuses what is freed, foreign, outside or after its end', () => {
    const memory = open(2 ** 20);
    const one = memory.allocate(64);
    expect(() => memory.range(one, 60, 8, 'read')).toThrow(
      'read: expected a range within 64 bytes, got 8 bytes from 60',
    );
    expect(() => memory.allocate(-1)).toThrow(BackendError);
    memory.free(one);
    expect(() => memory.free(one)).toThrow('free: expected an allocation of this backend');
    memory.close();
    expect(() => memory.allocate(4)).toThrow(DisposedError);
    memory.free(one);
  });
});
