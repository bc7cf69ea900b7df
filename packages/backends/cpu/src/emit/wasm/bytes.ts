// The codecs of the binary format: LEB128 integers, IEEE floats, names, vectors (specification 5.1 and 5.2).

/** An unsigned integer, seven bits a byte, the lowest first. */
export function unsigned(to: number[], value: number): void {
  let rest = value;
  while (rest > 0x7f) {
    to.push((rest & 0x7f) | 0x80);
    rest = Math.floor(rest / 128);
  }
  to.push(rest);
}

/** A signed integer of 32 bits. */
export function signed(to: number[], value: number): void {
  let rest = value | 0;
  for (;;) {
    const byte = rest & 0x7f;
    rest >>= 7;
    // The last byte's bit 6 is the sign.
    if (rest === (byte & 0x40 ? -1 : 0)) {
      to.push(byte);
      return;
    }
    to.push(byte | 0x80);
  }
}

/** A signed integer of 64 bits. */
export function signed64(to: number[], value: bigint): void {
  let rest = BigInt.asIntN(64, value);
  for (;;) {
    const byte = Number(rest & 0x7fn);
    rest >>= 7n;
    if (rest === (byte & 0x40 ? -1n : 0n)) {
      to.push(byte);
      return;
    }
    to.push(byte | 0x80);
  }
}

const bytes = new DataView(new ArrayBuffer(8));

/** The bytes of a float32 or float64, the lowest first. */
export function float(to: number[], value: number, width: 4 | 8): void {
  if (width === 4) bytes.setFloat32(0, value, true);
  else bytes.setFloat64(0, value, true);
  for (let i = 0; i < width; i++) to.push(bytes.getUint8(i));
}

/** A name of ASCII characters behind its length. */
export function name(to: number[], text: string): void {
  unsigned(to, text.length);
  for (let i = 0; i < text.length; i++) to.push(text.charCodeAt(i));
}

/** An opcode, with its prefix where it has one. */
export function opcode(to: number[], code: number): void {
  if (code > 0xff) {
    to.push(code >>> 16);
    unsigned(to, code & 0xffff);
  } else {
    to.push(code);
  }
}

/** Bytes one behind the other. */
export function joined(parts: readonly (readonly number[] | Uint8Array)[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
