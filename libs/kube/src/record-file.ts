import { open } from 'node:fs/promises';
import type { KubeObject } from '@larry/contracts';
import { nameKey } from './object-set';
import { readRecords, type Splitter } from './records';

/** A file that holds objects one after the other, read in flat memory; single objects are found again by their place. */
export class RecordFile {
  private sound = false;
  private places: Promise<Map<string, { start: number; length: number }>> | undefined;

  constructor(
    readonly path: string,
    private readonly split: () => Splitter,
    /** The object of a record; undefined when it holds none. */
    readonly read: (bytes: Buffer) => KubeObject | undefined,
  ) {}

  /**
   * Every object that can be read; with a namespace at least all that are in it. Throws where `read` throws.
   * Once the whole file has been read without trouble, records that do not hold the namespace's name are not parsed again.
   */
  async *objects(signal?: AbortSignal, namespace?: string): AsyncIterable<KubeObject> {
    const name = this.sound && namespace !== undefined ? Buffer.from(namespace) : undefined;
    for await (const { bytes } of readRecords(this.path, this.split(), signal)) {
      if (name && !bytes.includes(name)) continue;
      const object = this.read(bytes);
      if (object) yield object;
    }
    this.sound = true;
  }

  async get(namespace: string | undefined, name: string): Promise<KubeObject | undefined> {
    this.places ??= this.index();
    const place = (await this.places).get(nameKey(namespace, name));
    if (!place) return undefined;
    const file = await open(this.path);
    try {
      const { buffer } = await file.read(Buffer.alloc(place.length), 0, place.length, place.start);
      return this.read(buffer);
    } finally {
      await file.close();
    }
  }

  private async index(): Promise<Map<string, { start: number; length: number }>> {
    const places = new Map<string, { start: number; length: number }>();
    for await (const { bytes, start } of readRecords(this.path, this.split())) {
      const object = this.read(bytes);
      if (!object) continue;
      const key = nameKey(object.metadata.namespace, object.metadata.name);
      if (!places.has(key)) places.set(key, { start, length: bytes.length });
    }
    return places;
  }
}
