/** `from` needs `to`: when `to` is broken, `from` may be. */
export interface Edge {
  from: string;
  to: string;
  /** `runs on`, `routes to`, `calls`. */
  why: string;
}

/** Which object depends on which, by graph key (`Kind ns/name`). May hold circles. */
export class DependencyGraph {
  private readonly needs = new Map<string, Edge[]>();
  private readonly neededBy = new Map<string, Edge[]>();
  size = 0;

  add(from: string, to: string, why: string): void {
    if (from === to) return;
    const known = this.needs.get(from);
    // Pods of one workload, or two variables of one address, say the same twice: lists are short where that happens.
    if (known && known.length < 200 && known.some((edge) => edge.to === to)) return;
    const edge = { from, to, why };
    if (known) known.push(edge);
    else this.needs.set(from, [edge]);
    const back = this.neededBy.get(to);
    if (back) back.push(edge);
    else this.neededBy.set(to, [edge]);
    this.size += 1;
  }

  /** What an object needs. */
  needsOf(key: string): readonly Edge[] {
    return this.needs.get(key) ?? [];
  }

  /** Who needs an object. */
  dependentsOf(key: string): readonly Edge[] {
    return this.neededBy.get(key) ?? [];
  }

  /** Everything that some objects need, nearest first, through objects that `through` lets pass. */
  below(start: Iterable<string>, through: (key: string) => boolean = () => true): Map<string, Edge | undefined> {
    return walk(start, (key) => this.needsOf(key).map((edge) => ({ edge, next: edge.to })), through);
  }

  /** Everything that needs some objects, nearest first, through objects that `through` lets pass. */
  above(start: Iterable<string>, through: (key: string) => boolean = () => true): Map<string, Edge | undefined> {
    return walk(start, (key) => this.dependentsOf(key).map((edge) => ({ edge, next: edge.from })), through);
  }
}

function walk(start: Iterable<string>, step: (key: string) => { edge: Edge; next: string }[], through: (key: string) => boolean): Map<string, Edge | undefined> {
  const found = new Map<string, Edge | undefined>([...start].map((key) => [key, undefined]));
  const queue = [...found.keys()];
  for (let i = 0; i < queue.length; i += 1) {
    for (const { edge, next } of step(queue[i] ?? '')) {
      if (found.has(next) || !through(next)) continue;
      found.set(next, edge);
      queue.push(next);
    }
  }
  return found;
}
