import path from 'node:path';
import { mkdirSync } from 'node:fs';
import type { ClientContext } from '../../controller';
import { kinds } from '../../kinds';
import { parseAmount } from '../../quantity';
import type { Container, Node, Pod } from '../../types';
import { checkUser } from '../container-facts';
import type { Begin } from '../container-run';
import { expand } from '../environment';
import type { VolumeSources } from '../volume-store';
import { AccountTokens } from './account-tokens';
import { checkEnvironment, programFile } from './catalog';
import { PodFolder } from './pod-folder';
import { programEnvironment, standIn, type EnvironmentParts } from './program-environment';
import type { ProgramHost } from './program-host';
import { ProgramProcess } from './program-process';

/** The user that our images name. */
const imageUid = 10_001;

/** What the programs of a pod need of its kubelet. */
export interface PodProgramsHost {
  context: ClientContext;
  programs: ProgramHost;
  sources: VolumeSources;
  apiServer: { host: string; port: string };
  node(): Node;
}

/** The programs of one pod: its volumes on disk, its tokens, its processes. */
export class PodPrograms {
  private readonly folder: PodFolder;
  private readonly tokens: AccountTokens;

  constructor(
    private readonly host: PodProgramsHost,
    private readonly uid: string,
    changed: () => void,
  ) {
    this.folder = new PodFolder(host.programs.podFolder(uid));
    this.tokens = new AccountTokens(host.context, changed);
  }

  /**
   * Brings the volumes on disk up to date.
   * @throws MountProblem
   */
  mount(pod: Pod, podIp: string): void {
    this.folder.fill(pod, { sources: this.host.sources, podIp, token: (source) => this.tokens.get(pod, source), claimed: (claim) => this.claimed(pod, claim) });
  }

  /**
   * How to start a container.
   * @throws ConfigError where it cannot be created as configured, ProgramRefused where it is not one of our built programs.
   */
  begin(pod: Pod, container: Container, podIp: string): Begin {
    checkUser(pod, container, imageUid);
    const { programs, context } = this.host;
    const parts = this.parts(pod, container, podIp);
    const env = programEnvironment(pod, container, parts);
    checkEnvironment(env);
    const [program = '', ...args] = (container.args ?? []).map((word) => expand(word, env));
    const file = programFile(programs.root, container, [program]);
    mkdirSync(parts.home, { recursive: true, mode: 0o700 });
    const limit = container.resources?.limits?.['memory'];
    const start = {
      file,
      args: args.map((word) => standIn(word, pod, parts)),
      env,
      cwd: programs.imageFolder,
      podIp,
      container,
      memoryLimitBytes: limit === undefined ? undefined : parseAmount(limit),
    };
    return (events) => new ProgramProcess(start, context.clock, events, programs.started);
  }

  /** The pod is gone, or (`keep`) its kubelet ends. */
  dispose(keep: boolean): void {
    this.tokens.stop();
    if (keep) return;
    this.folder.remove();
    this.host.programs.network.releasePod(this.uid);
  }

  private parts(pod: Pod, container: Container, podIp: string): EnvironmentParts {
    const { programs, context, sources, apiServer } = this.host;
    return {
      podIp,
      node: this.host.node(),
      sources,
      apiServer,
      services: context.informers.of(kinds.services),
      slices: context.informers.of(kinds.endpointSlices),
      network: programs.network,
      mounts: this.folder.mounts(pod, container, { claimed: (claim) => this.claimed(pod, claim) }),
      imageFolder: programs.imageFolder,
      home: path.join(this.folder.folder, 'containers', container.name),
    };
  }

  private claimed(pod: Pod, claimName: string): string {
    const claim = this.host.sources.claims.get(`${pod.metadata.namespace}/${claimName}`);
    return this.host.programs.volumeFolder(claim?.spec.volumeName ?? `claim-${claimName}`);
  }
}
