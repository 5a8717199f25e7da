import { clusterLines } from '../doctor/cluster';
import { doctorText, looked, type DoctorLine } from '../doctor/doctor-line';
import { nodeLine, portLine, stateLines, toolLines } from '../doctor/machine';
import { keptLines } from '../doctor/kept-files';
import { redisLines } from '../doctor/redis';
import { runLines } from '../doctor/run';
import { runningStack } from '../local/local-stack';
import { paint, wantsColour } from '../terminal/paint';
import { exitCodes } from '../user-error';

interface DoctorOptions {
  state: string;
  redis?: string;
  kubeconfig?: string;
  context?: string;
  rights?: boolean;
  json?: boolean;
}

/** `larry doctor`: looks at everything that Larry needs, and changes nothing. */
export async function doctor(options: DoctorOptions): Promise<void> {
  const lines = await examine(options);
  process.exitCode = lines.some((l) => l.level === 'fail') ? exitCodes.found : exitCodes.ok;
  if (options.json) {
    process.stdout.write(`${JSON.stringify(lines, null, 2)}\n`);
    return;
  }
  const pen = paint(wantsColour(process.stdout));
  process.stdout.write(`${lines.map((line) => doctorText(line, pen)).join('\n')}\n`);
}

/** Everything that the doctor looks at. */
export async function examine(options: DoctorOptions): Promise<DoctorLine[]> {
  const running = runningStack(options.state);
  const redisUrl = options.redis ?? process.env['REDIS_URL'] ?? running?.redisUrl;
  const kubeconfig = options.kubeconfig ?? running?.kubeconfig;
  const parts = await Promise.all([
    looked('Node.js', () => [nodeLine(process.version)]),
    looked('state folder', () => stateLines(options.state)),
    looked('ports', async () => [await portLine()]),
    looked('kept files', () => keptLines(options.state)),
    looked('run', () => runLines(options.state, running)),
    looked('Redis', () => redisLines(redisUrl)),
    looked('cluster', () => clusterLines({ ...(kubeconfig ? { kubeconfig } : {}), ...(options.context ? { context: options.context } : {}), ...(options.rights ? { rights: true } : {}) })),
    looked('tools', () => toolLines()),
  ]);
  return parts.flat();
}
