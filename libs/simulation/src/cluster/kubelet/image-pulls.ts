import { behaviourOf, parseImage, pullRefusal } from '../behaviours';
import { goDuration, type Clock } from '../clock';
import type { ConfigMap } from '../types';
import { RestartBackOff } from './back-off';
import type { ContainerUnit } from './container-unit';
import { isProgramImage } from './programs/catalog';

/** What a pull of an image takes or fails with. */
interface Pull {
  seconds: number;
  /** The runtime's words; the pull then fails each time. */
  error?: string;
}

/** The ConfigMap that marks a simulated cluster, and says what is slow or broken in it. */
export const faultsKey = 'kube-system/larry-simulation';

/**
 * How long the pull of an image takes or how it fails: by `pull-seconds.NAME` and `pull-error.NAME` or `pull-error.NAME.TAG`
 * of the simulation's ConfigMap, where NAME is the last segment of the image's repository, and by what its name alone says.
 * Every other image is on every node already.
 */
function pullOf(image: string, faults: ConfigMap | undefined): Pull | undefined {
  const { repository = '', tag = '' } = parseImage(image) ?? {};
  const name = repository.split('/').at(-1) ?? '';
  const seconds = Number(faults?.data?.[`pull-seconds.${name}`] ?? 0);
  const told = faults?.data?.[`pull-error.${name}.${tag}`] ?? faults?.data?.[`pull-error.${name}`];
  const error = told ? `failed to pull and unpack image "${image}": ${told}` : (isProgramImage(image) ? undefined : pullRefusal(image, behaviourOf(image) !== undefined));
  if (!(seconds > 0) && !error) return undefined;
  return { seconds: seconds > 0 ? seconds : 0, ...(error ? { error } : {}) };
}

/** What a pull needs of its pod. */
export interface PullHost {
  clock: Clock;
  configMaps: { get(key: string): ConfigMap | undefined };
  say(type: 'Normal' | 'Warning', reason: string, message: string, unit: ContainerUnit): void;
  /** Calls `fn` after `ms`, unless the pod ends before. */
  after(unit: ContainerUnit, ms: number, fn: () => void): void;
  /** Looks again at what can be started. */
  step(): void;
}

/** The pulls of one pod's images. A pull that was waited for is not done again in this pod. */
export class ImagePulls {
  private readonly pulled = new Map<ContainerUnit, string>();
  private readonly backOffs = new Map<ContainerUnit, RestartBackOff>();

  constructor(private readonly host: PullHost) {}

  /** True when the image is there, with the event that says so; else the container waits, and `step` follows. */
  isThere(unit: ContainerUnit): boolean {
    const { image } = unit.spec;
    const last = this.pulled.get(unit);
    const pulled = last === image;
    // What ran before its kubelet was started again needs no pull.
    const there = pulled || (last === undefined && unit.finishedAt > 0);
    const pull = there ? undefined : pullOf(image, this.host.configMaps.get(faultsKey));
    if (!pull) {
      this.pulled.set(unit, image);
      if (!pulled || unit.finishedAt) this.host.say('Normal', 'Pulled', `Container image "${image}" already present on machine`, unit);
      return true;
    }
    this.host.say('Normal', 'Pulling', `Pulling image "${image}"`, unit);
    this.host.after(unit, pull.seconds * 1000, () => this.ended(unit, pull));
    return false;
  }

  private ended(unit: ContainerUnit, { seconds, error }: Pull): void {
    const { image } = unit.spec;
    if (error) return this.failed(unit, error);
    const took = goDuration(seconds * 1000);
    this.pulled.set(unit, image);
    this.host.say('Normal', 'Pulled', `Successfully pulled image "${image}" in ${took} (${took} including waiting). Image size: 0 bytes.`, unit);
    this.host.step();
  }

  private failed(unit: ContainerUnit, message: string): void {
    const { image } = unit.spec;
    this.host.say('Warning', 'Failed', `Failed to pull image "${image}": ${message}`, unit);
    this.host.say('Warning', 'Failed', 'Error: ErrImagePull', unit);
    unit.wait('ErrImagePull', message);
    const backOff = this.backOffs.get(unit) ?? new RestartBackOff();
    this.backOffs.set(unit, backOff);
    const now = this.host.clock.now().getTime();
    backOff.next(now, now);
    // The next look of the kubelet, a moment later, finds the back-off.
    this.host.after(unit, 1_000, () => {
      this.host.say('Normal', 'BackOff', `Back-off pulling image "${image}"`, unit);
      this.host.say('Warning', 'Failed', 'Error: ImagePullBackOff', unit);
      unit.wait('ImagePullBackOff', `Back-off pulling image "${image}": ErrImagePull: ${message}`);
      this.host.after(unit, backOff.waitMs, () => this.host.step());
    });
  }
}
