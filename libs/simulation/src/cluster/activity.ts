/**
 * What is under way in the simulated clients, so that somebody can wait until all is quiet. Timers that
 * wait for something far away (a back-off, a heartbeat, a deadline) are not counted.
 */
export class Activity {
  private count = 0;
  private lastChange = performance.now();

  /** Marks the beginning of some work; the result marks its end and may be called once or more. */
  begin(): () => void {
    this.count += 1;
    this.touch();
    let open = true;
    return () => {
      if (!open) return;
      open = false;
      this.count -= 1;
      this.touch();
    };
  }

  /** Something was seen, such as a watch event. */
  touch(): void {
    this.lastChange = performance.now();
  }

  get busy(): number {
    return this.count;
  }

  /**
   * Resolves when nothing has been under way for `quietMs` of wall time.
   * @throws Error after `timeoutMs`, saying how many pieces of work were still open.
   */
  async settled(quietMs = 150, timeoutMs = 60_000): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    // Several looks in a row: one look could fall between a write and the watch event that it causes.
    for (let quietLooks = 0; quietLooks < 4; ) {
      await new Promise((resolve) => setTimeout(resolve, Math.max(5, quietMs / 5)));
      quietLooks = this.count === 0 && performance.now() - this.lastChange >= quietMs ? quietLooks + 1 : 0;
      if (performance.now() > deadline) throw new Error(`the simulated cluster did not settle in ${timeoutMs} ms: ${this.count} pieces of work are open`);
    }
  }
}
