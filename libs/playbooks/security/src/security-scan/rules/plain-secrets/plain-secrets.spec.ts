import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { KubeObject } from '@larry/contracts';
import { openSnapshot, writeSnapshot, type ClusterReader } from '@larry/kube';
import { aDeployment, memoryCluster } from '@larry/kube/testing';
import { namespace, scan } from '../../__fixtures__/scan';
import { secretValues } from './__fixtures__/values';
import { secretIn, secretInFile } from './detect';

describe('a named value', () => {
  it.each(Object.entries(secretValues))('is a secret by its shape: %s', (_, value) => {
    expect(secretIn('SETTING', value)).toBe('shape');
  });

  it.each([
    ['DB_PASSWORD', 'hunter2'],
    ['PGADMIN_DEFAULT_PASSWORD', 'SuperSecret'],
    ['apiToken', 'abc123xyz'],
    ['AWS_SECRET_ACCESS_KEY', 'whatever/it+is'],
  ])('is a secret by its name: %s', (name, value) => {
    expect(secretIn(name, value)).toBe('name');
  });

  it.each([
    ['DB_PASSWORD', ''],
    ['DB_PASSWORD', '$(FROM_ELSEWHERE)'],
    ['DB_PASSWORD', '${FROM_ELSEWHERE}'],
    ['DB_PASSWORD_FILE', '/run/secrets/db'],
    ['TOKEN', '/var/run/secrets/token'],
    ['ENABLE_TOKEN', 'true'],
    ['TOKEN_TTL', '3600'],
    ['EXISTING_SECRET', 'my-secret'],
    ['DATABASE_URL', 'postgres://app:$(DB_PASSWORD)@db/app'],
    ['DATABASE_URL', 'postgres://db/app'],
    ['LOG_LEVEL', 'debug'],
  ])('is none: %s=%s', (name, value) => {
    expect(secretIn(name, value)).toBeUndefined();
  });
});

describe('a file', () => {
  it.each([
    ['a password in properties', 'db.user=app\ndb.password=hunter2\n', 'name'],
    ['a password in YAML', 'db:\n  user: app\n  password: "hunter2"\n', 'name'],
    ['a key', `ca: x\n${secretValues.privateKey}`, 'shape'],
    ['a URL with a password', `upstream = ${secretValues.urlWithPassword}\n`, 'shape'],
    ['a certificate', '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n', undefined],
    ['a password that is commented out', '# password=hunter2\n', undefined],
    ['a password from elsewhere', 'password: ${DB_PASSWORD}\n', undefined],
    ['nothing of the kind', 'listen: 80\nlevel: info\n', undefined],
  ])('with %s', (_, text, expected) => {
    expect(secretInFile(text)).toBe(expected);
  });

  it('of 10 MB in one line is judged in a moment', () => {
    const started = Date.now();
    secretInFile('password='.repeat(1_200_000));
    secretInFile(`${'-'.repeat(10_000_000)}`);
    expect(Date.now() - started).toBeLessThan(5000);
  });
});

describe('secrets in plain sight', () => {
  const configMap = (data: Record<string, string>): KubeObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'settings', namespace: 'database' },
    data,
  });
  const said = async (...objects: KubeObject[]) =>
    (await scan(memoryCluster([namespace('database'), ...objects]))).findings.filter((f) =>
      f.rule.startsWith('plain-secrets/'),
    );
  const container = (body: object) =>
    aDeployment({
      name: 'app',
      namespace: 'database',
      template: { containers: [{ name: 'app', image: 'a:1', ...body }] },
    });

  it('are found in environment variables, words of the command and ConfigMaps, with the place', async () => {
    const findings = await said(
      container({
        env: [
          { name: 'LEVEL', value: 'debug' },
          { name: 'DB_PASSWORD', value: 'hunter2' },
        ],
        args: ['--quiet', '--password=hunter2', '--api-token', 'abcdef'],
      }),
      configMap({ 'app.properties': 'db.password=hunter2\n', level: 'info', token: secretValues.githubToken }),
    );
    expect(
      findings.flatMap((f) => f.evidence.map((e) => `${f.rule} ${e.object.kind} ${e.at} ${e.value}`)).sort(),
    ).toEqual([
      'plain-secrets/by-name ConfigMap .data["app.properties"] app.properties: [redacted]',
      'plain-secrets/by-name Deployment .spec.template.spec.containers[0].args[1] password: [redacted]',
      'plain-secrets/by-name Deployment .spec.template.spec.containers[0].args[3] api-token: [redacted]',
      'plain-secrets/by-name Deployment .spec.template.spec.containers[0].env[1].value DB_PASSWORD: [redacted]',
      'plain-secrets/token ConfigMap .data["token"] token: [redacted]',
    ]);
  });

  it('never carry a value out: not in findings, not in facts', async () => {
    const values = [...Object.values(secretValues), 'hunter2'];
    const diagnosis = await scan(
      memoryCluster([
        namespace('database'),
        container({
          env: values.map((value, i) => ({ name: `PASSWORD_${i}`, value })),
          command: values.map((v) => `--secret=${v}`),
        }),
        configMap(Object.fromEntries(values.map((v, i) => [`k${i}`, v]))),
      ]),
    );
    const text = JSON.stringify(diagnosis);
    expect(idsWithSecret(text, values)).toEqual([]);
    expect(diagnosis.findings.some((f) => f.rule === 'plain-secrets/token')).toBe(true);
  });

  it('are found in a snapshot as in the cluster that it was taken of, though their values are gone', async () => {
    const values = { ...secretValues, ref: '$(X)', flag: 'true', path: '/run/x', plain: 'hunter2' };
    const named = Object.entries(values).flatMap(([key, value]) => [{ name: key, value }, { name: `${key}_PASSWORD`, value }]); // prettier-ignore
    const cluster = memoryCluster([
      namespace('database'),
      container({ env: named, args: ['--password', '-hunter2', '--token', '--verbose', ...Object.values(secretValues)] }),
      configMap(Object.fromEntries(named.map(({ name, value }) => [name, value]))),
    ]);
    const folder = path.join(mkdtempSync(path.join(tmpdir(), 'larry-secrets-')), 'snapshot');
    try {
      await writeSnapshot(cluster, folder);
      const found = async (reader: ClusterReader) => (await scan(reader)).findings.filter((f) => f.rule.startsWith('plain-secrets/')).map((f) => [f.id, f.severity, f.evidence]); // prettier-ignore
      const live = await found(cluster);
      expect(live).not.toEqual([]);
      expect(await found(await openSnapshot(folder))).toEqual(live);
    } finally {
      rmSync(path.dirname(folder), { recursive: true });
    }
  });

  it('are not references to Secrets', async () => {
    expect(
      await said(container({ env: [{ name: 'DB_PASSWORD', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }] })),
    ).toEqual([]);
  });
});

function idsWithSecret(text: string, values: string[]): string[] {
  return values.filter((v) => text.includes(JSON.stringify(v).slice(1, -1)));
}
