/** A file of an archive. */
export interface ArchivedFile {
  /** At most 100 bytes, with `/` between folders. */
  name: string;
  content: Buffer;
}

const block = 512;

/** A tar archive of plain files that only their owner may read (POSIX.1-1988, *ustar*). */
export function tarOf(files: readonly ArchivedFile[], modified: Date): Buffer {
  const parts = files.flatMap(({ name, content }) => [header(name, content.length, modified), content, Buffer.alloc((block - (content.length % block)) % block)]);
  return Buffer.concat([...parts, Buffer.alloc(2 * block)]);
}

function header(name: string, size: number, modified: Date): Buffer {
  const bytes = Buffer.alloc(block);
  const octal = (value: number, length: number): string => `${value.toString(8).padStart(length - 1, '0')}\0`;
  if (Buffer.byteLength(name) > 100) throw new Error(`the name ${name} is too long for an archive`);
  bytes.write(name, 0);
  bytes.write(octal(0o600, 8), 100);
  bytes.write(octal(0, 8), 108);
  bytes.write(octal(0, 8), 116);
  bytes.write(octal(size, 12), 124);
  bytes.write(octal(Math.floor(modified.getTime() / 1000), 12), 136);
  bytes.write('        ', 148);
  bytes.write('0', 156);
  bytes.write('ustar\x0000', 257, 'latin1');
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return bytes;
}
