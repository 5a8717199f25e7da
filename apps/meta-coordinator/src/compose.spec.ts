import { larryEnvironmentSchema } from '@larry/coordinator';
import { readEnvironment } from '@larry/service';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { metaEnvironmentSchema } from './environment';

const repository = path.resolve(__dirname, '../../..');
const text = readFileSync(path.join(repository, 'compose.yaml'), 'utf8');

interface Service {
  environment?: Record<string, string>;
  build?: { target: string };
  ports?: string[];
  secrets?: string[];
  user?: string;
}
const { services, secrets } = parse(text, { merge: true }) as { services: Record<string, Service>; secrets: Record<string, object> };
const ours = Object.entries(services).filter(([name]) => name !== 'redis');
const given: Record<string, string> = { REDIS_PASSWORD: 'abc', LARRY_HOME: '/home/larry', LARRY_USER: '1:1', KUBECONFIG: '/home/larry/kubeconfig' };

/** As compose fills in what is set in its own environment. */
const filled = (value: string): string =>
  value.replace(/\$\{(\w+)(?::([-?])([^}]*))?\}/g, (_, name: string, how: string | undefined, word: string) => {
    const known = given[name] ?? (how === '-' ? word : undefined);
    if (known === undefined) throw new Error(`${name} ${word}`);
    return known;
  });
const environmentOf = ({ environment = {} }: Service): Record<string, string> => Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, filled(value)]));

it.each(ours)('%s reads every variable that it is given, and takes its value', (name, service) => {
  const schema = name === 'meta-coordinator' ? metaEnvironmentSchema : larryEnvironmentSchema;
  const environment = environmentOf(service);
  expect(Object.keys(environment).filter((variable) => !(variable in schema.shape))).toEqual([]);
  expect(readEnvironment(schema, environment)).toMatchObject({ REDIS_URL: 'redis://:abc@redis:6379', LARRY_KUBECONFIG: '/run/secrets/kubeconfig' });
});

it.each(ours)('%s is a target of the Dockerfile, and its files are there', (name, { build, secrets: mounted, environment = {} }) => {
  expect(build?.target).toBe(name);
  expect(readFileSync(path.join(repository, 'Dockerfile'), 'utf8')).toContain(`AS ${name}\n`);
  const named = Object.values(environment).filter((value) => value.startsWith('/run/secrets/'));
  expect(named.map((value) => path.basename(value)).sort()).toEqual([...(mounted ?? [])].sort());
  for (const secret of mounted ?? []) expect(Object.keys(secrets)).toContain(secret);
});

it('gives the key that approves to the meta-coordinator alone', () => {
  const holders = Object.entries(services).filter(([, service]) => service.secrets?.includes('approval_key'));
  expect(holders.map(([name]) => name)).toEqual(['meta-coordinator']);
});

it('publishes on loopback only', () => {
  const ports = Object.values(services).flatMap((service) => service.ports ?? []);
  expect(ports).toHaveLength(2);
  for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
});

it('has no default for what is secret or yours: compose refuses with the sentence that stands there', () => {
  const needed = [...text.matchAll(/\$\{(\w+):\?([^}]*)\}/g)].map(([, name, sentence]) => [name, sentence]);
  expect(new Set(needed.map(([name]) => name))).toEqual(new Set(['LARRY_USER', 'LARRY_HOME', 'REDIS_PASSWORD', 'KUBECONFIG']));
  expect(needed.filter(([, sentence]) => !/^is not set\. /.test(sentence ?? ''))).toEqual([]);
  expect(text).not.toMatch(/\$\{(REDIS_PASSWORD|LARRY_HOME|KUBECONFIG|LARRY_USER):-/);
});

const hasCompose = spawnSync('docker', ['compose', 'version']).status === 0;
if (!hasCompose) console.warn('skipped: compose.yaml is not read by docker compose, which is not here');
(hasCompose ? it : it.skip)('is a file that docker compose takes, and refuses without a password', () => {
  const config = (env: Record<string, string>) => spawnSync('docker', ['compose', '-f', path.join(repository, 'compose.yaml'), 'config', '--quiet'], { encoding: 'utf8', env: { PATH: process.env['PATH'], ...env } });
  expect(config(given)).toMatchObject({ status: 0 });
  const { REDIS_PASSWORD: _, ...rest } = given;
  expect(config(rest)).toMatchObject({ stderr: expect.stringContaining('REDIS_PASSWORD is missing a value: is not set. Make one') });
});
