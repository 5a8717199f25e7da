// As Kubernetes' name generator uses them (apimachinery, `util/rand`).
const nameLetters = [...'bcdfghjklmnpqrstvwxz2456789'];

/** Numbers that follow from a text alone, so that a case is the same on every machine and every day. */
export class Chance {
  private state: number;

  constructor(seed: string) {
    this.state = hash(seed);
  }

  /** Between 0 and 1, 1 excluded. */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  int(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1));
  }

  pick<T>(values: readonly T[]): T {
    const value = values[this.int(0, values.length - 1)];
    if (value === undefined) throw new Error('eval: nothing to pick from');
    return value;
  }

  name(length: number): string {
    return Array.from({ length }, () => this.pick(nameLetters)).join('');
  }

  hex(length: number): string {
    let text = '';
    while (text.length < length) text += Math.floor(this.next() * 2 ** 32).toString(16).padStart(8, '0');
    return text.slice(0, length);
  }

  uid(): string {
    return [8, 4, 4, 4, 12].map((length) => this.hex(length)).join('-');
  }
}

/** FNV-1a, 32 bits, with a finishing mix: the split in two halves hangs on its lowest bit. */
export function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  return (h ^ (h >>> 16)) >>> 0;
}
