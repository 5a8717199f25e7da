import { redact, redacted, redactText } from '@larry/contracts';
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { tarOf, type ArchivedFile } from './tar';

/** What is not in the bundle, and why. */
export interface LeftOut {
  what: string;
  why: string;
}

/** A longer file keeps its end. Bytes. */
const mostBytes = 1024 * 1024;
/** Shorter values would be struck out of words that have nothing to do with them. */
const shortestSecret = 6;

/**
 * Files for somebody else's eyes. All that goes in passes here: the secrets that are known by their value are struck out,
 * then those that can be known by their name or shape.
 */
export class Bundle {
  private readonly files: ArchivedFile[] = [];
  private readonly leftOut: LeftOut[] = [];
  private readonly secrets: string[];

  /** `secrets`: values that must not stand in any file, in whatever form. */
  constructor(secrets: readonly string[]) {
    const long = secrets.map((secret) => secret.trim()).filter((secret) => secret.length >= shortestSecret);
    this.secrets = [...new Set(long.flatMap((secret) => [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64').replace(/=+$/, ''), JSON.stringify(secret).slice(1, -1)]))];
  }

  json(name: string, value: unknown): void {
    this.add(name, `${this.stricken(JSON.stringify(redact(value), null, 2) ?? 'null')}\n`);
  }

  text(name: string, text: string): void {
    this.add(name, redactText(this.stricken(text)));
  }

  /** One JSON value a line. */
  lines(name: string, values: readonly unknown[]): void {
    this.add(name, values.map((value) => `${this.stricken(JSON.stringify(redact(value)))}\n`).join(''));
  }

  leaveOut(what: string, why: string): void {
    this.leftOut.push({ what, why: redactText(this.stricken(why)) });
  }

  /** Takes a part in; what goes wrong becomes the reason why it is left out. */
  async part(what: string, take: () => Promise<void> | void): Promise<void> {
    try {
      await take();
    } catch (error) {
      this.leaveOut(what, error instanceof Error ? error.message : String(error));
    }
  }

  /** The archive: its manifest first, in a folder of its own. */
  archive(about: Readonly<Record<string, unknown>>, folder: string, at: Date): { archive: Buffer; files: string[]; leftOut: readonly LeftOut[] } {
    const listed = this.files.map(({ name, content }) => ({ name, bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') }));
    const manifest = Buffer.from(`${JSON.stringify({ ...about, createdAt: at.toISOString(), files: listed, leftOut: this.leftOut }, null, 2)}\n`);
    const all = [{ name: 'manifest.json', content: manifest }, ...this.files].map(({ name, content }) => ({ name: `${folder}/${name}`, content }));
    return { archive: gzipSync(tarOf(all, at)), files: all.map(({ name }) => name), leftOut: this.leftOut };
  }

  private add(name: string, text: string): void {
    let content = Buffer.from(text);
    if (content.length > mostBytes) {
      this.leaveOut(`the beginning of ${name}`, `it has ${content.length} bytes, and the last ${mostBytes} are enough`);
      content = content.subarray(content.length - mostBytes);
    }
    this.files.push({ name: name.replace(/[^\w./-]/g, '_').slice(0, 70), content });
  }

  private stricken(text: string): string {
    return this.secrets.reduce((out, secret) => out.replaceAll(secret, redacted), text);
  }
}
