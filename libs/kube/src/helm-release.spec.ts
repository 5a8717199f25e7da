import { gzipSync } from 'node:zlib';
import { aSecret } from './builders';
import { decodeHelmRelease, isHelmReleaseRecord } from './helm-release';

const record = (bytes: Buffer) => aSecret({ type: 'helm.sh/release.v1', data: { release: Buffer.from(bytes.toString('base64')).toString('base64') } });

describe('decodeHelmRelease', () => {
  it('reads releases with and without gzip', () => {
    const json = Buffer.from('{"name":"web"}');
    expect(decodeHelmRelease(record(json))).toEqual({ name: 'web' });
    expect(decodeHelmRelease(record(gzipSync(json)))).toEqual({ name: 'web' });
  });

  it('gives nothing for what is no release', () => {
    expect(decodeHelmRelease(record(Buffer.from('not json')))).toBeUndefined();
    expect(decodeHelmRelease(record(gzipSync('[]')))).toBeUndefined();
    expect(isHelmReleaseRecord(aSecret({ data: { release: 'x' } }))).toBe(false);
  });

  it('does not unpack a bomb', () => {
    expect(decodeHelmRelease(record(gzipSync(Buffer.alloc(100 * 1024 * 1024, 0x20))))).toBeUndefined();
  });
});
