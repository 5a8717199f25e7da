import { connect } from 'node:net';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { kubeTools } from './kube-tools';
import { startSimulatedCluster, type SimulatedCluster, type SimulatedClusterOptions } from './simulated-cluster';

/** A program that does what its MODE says, in place of a built one of ours. */
const program = `
const fs = require('fs'), http = require('http'), https = require('https'), { MODE, ...env } = process.env;
process.stdin.on('end', () => process.exit(0)).resume();
const listen = () => http.createServer((q, r) => { r.statusCode = q.url === '/sick' ? 500 : 200; r.end('hello from ' + env.HOSTNAME); }).listen(8080, env.LARRY_LISTEN);
if (MODE !== 'deaf') process.on('SIGTERM', () => { console.log('asked to stop'); process.exit(0); });
else process.on('SIGTERM', () => console.log('heard, and does not mind'));
console.log('mode ' + MODE);
if (MODE === 'exit') process.exit(Number(env.CODE));
if (MODE === 'env') for (const name of env.SHOW.split(',')) console.log(name + '=' + env[name]);
if (MODE === 'env') console.log('args=' + process.argv.slice(2).join(' '));
if (MODE === 'file') { let last; setInterval(() => { const now = fs.readFileSync(env.FILE, 'utf8'); if (now !== last) console.log('file says ' + (last = now)); }, 50); }
if (MODE === 'greedy') { const kept = []; setInterval(() => kept.push(Buffer.alloc(20e6, 1)), 20); }
if (MODE === 'account') {
  const dir = env.LARRY_SERVICE_ACCOUNT_DIR, token = fs.readFileSync(dir + '/token', 'utf8');
  const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews', body = JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' });
  const req = https.request({ host: env.KUBERNETES_SERVICE_HOST, port: env.KUBERNETES_SERVICE_PORT, method: 'POST', path, ca: fs.readFileSync(dir + '/ca.crt'), headers: { authorization: 'Bearer ' + token, 'content-type': 'application/json', 'content-length': body.length } }, (res) => {
    let text = ''; res.on('data', (c) => text += c).on('end', () => console.log('I am ' + JSON.parse(text).status.userInfo.username + ' in ' + fs.readFileSync(dir + '/namespace', 'utf8') + ' with ' + token));
  });
  req.end(body);
}
if (MODE !== 'exit') { listen(); setInterval(() => 0, 1000); }
`;

/** A simulated cluster whose images of ours run the test program, and the real kubectl beside it. */
export interface ProgramsUnderTest {
  cluster: SimulatedCluster;
  /** Runs kubectl in namespace `default`; its output and errors together, and its exit code. */
  kubectl(...args: string[]): Promise<{ out: string; code: number }>;
  /** Begins kubectl: what it has printed so far, and how it ended. */
  follow(...args: string[]): { said(): string; ended: Promise<{ out: string; code: number }> };
  /** Applies one object. */
  apply(object: object): Promise<void>;
  close(): Promise<void>;
}

/** Undefined where there is no kubectl for this machine. */
export async function programsUnderTest(options: SimulatedClusterOptions = {}): Promise<ProgramsUnderTest | undefined> {
  const tools = await kubeTools();
  if (!tools || process.platform !== 'linux') return undefined;
  const folder = mkdtempSync(path.join(tmpdir(), 'larry-programs-'));
  const dist = path.join(folder, 'apps', 'larry-01', 'dist');
  mkdirSync(dist, { recursive: true });
  writeFileSync(path.join(dist, 'main.js'), program);
  writeFileSync(path.join(folder, 'elsewhere.js'), 'console.log("must not run")');
  const cluster = await startSimulatedCluster({ objects: [], programs: { root: folder }, ...options });
  const kubeconfig = path.join(folder, 'kubeconfig');
  writeFileSync(kubeconfig, cluster.kubeconfig, { mode: 0o600 });
  const kubectl = (args: readonly string[], input = '', onText: (text: string) => void = () => undefined) =>
    new Promise<{ out: string; code: number }>((resolve) => {
      const child = execFile(tools.kubectl, args, { env: { PATH: '/usr/bin:/bin', HOME: folder, KUBECONFIG: kubeconfig }, timeout: 60_000 }, (error, stdout, stderr) => resolve({ out: stdout + stderr, code: error ? Number(error.code ?? -1) : 0 }));
      child.stdout?.on('data', onText);
      child.stdin?.end(input);
    });
  return {
    cluster,
    kubectl: (...args) => kubectl(args),
    follow: (...args) => {
      let text = '';
      const ended = kubectl(args, '', (more) => (text += more));
      return { said: () => text, ended };
    },
    apply: async (object) => {
      const { out, code } = await kubectl(['apply', '-f', '-'], JSON.stringify(object));
      if (code !== 0) throw new Error(out);
    },
    close: async () => {
      await cluster.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Whether anybody accepts connections at `HOST:PORT`; `fetch` may wait for ever on a connection whose server was killed. */
export function isServed(address: string): Promise<boolean> {
  const [host = '', port] = address.split(':');
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port) });
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
