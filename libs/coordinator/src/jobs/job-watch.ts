import type { KubeObject } from '@larry/contracts';
import type { LiveCluster, ObjectChange } from '@larry/kube';
import type { PlaybookLog } from '@larry/playbook';
import { setTimeout as delay } from 'node:timers/promises';
import { jobFacts, podFacts, type JobFacts, type PodFacts } from './job-facts';

/** What a watch of Jobs works with. */
export interface JobWatchParts {
  cluster: LiveCluster;
  namespace: string;
  /** Of the Jobs and of their pods alike. */
  labelSelector: string;
  /** The worker's container in each pod. */
  container: string;
  log: PlaybookLog;
  /** Something is new about this Job, by uid. */
  changed(jobUid: string): void;
  /** A Job is there, perhaps not for the first time. */
  seen(job: KubeObject): void;
  /** A Job was deleted. */
  gone(jobUid: string): void;
}

interface Entry {
  job?: JobFacts;
  pods: Map<string, PodFacts>;
}

const jobKind = { apiVersion: 'batch/v1', kind: 'Job' };
const podKind = { apiVersion: 'v1', kind: 'Pod' };
const firstPauseMs = 1000;
const longestPauseMs = 30_000;

/** Follows the Jobs of one Larry and their pods by one watch each: no polling. Goes on for ever, whatever the API server does. */
export class JobWatch {
  private readonly entries = new Map<string, Entry>();
  private readonly ending = new AbortController();
  /** What keeps each watch from working, in a sentence; empty while both do. */
  private readonly problems = new Map<string, string>();

  constructor(private readonly parts: JobWatchParts) {}

  /** Resolves when both have listed what is there. Rejects in one sentence when they may not, or the API server is away. */
  async start(): Promise<void> {
    const present = new Set<string>();
    const jobs = this.follow(jobKind, (change) => this.takeJob(change), present, () => void this.missJobs(new Set(present)));
    const pods = new Set<string>();
    await Promise.all([jobs, this.follow(podKind, (change) => this.takePod(change), pods, () => this.missPods(pods))]);
  }

  stop(): void {
    this.ending.abort();
  }

  /** In a sentence why news may be late; undefined while they come. */
  get problem(): string | undefined {
    const [first] = this.problems.values();
    return first;
  }

  of(jobUid: string): { job: JobFacts | undefined; pods: PodFacts[] } {
    const entry = this.entries.get(jobUid);
    return { job: entry?.job, pods: [...(entry?.pods.values() ?? [])] };
  }

  /** A Job as an answer gave it: the watch may not have told of it yet. */
  note(job: KubeObject, gone = false): void {
    const facts = jobFacts(job, gone);
    const entry = this.entryOf(facts.uid);
    // What was seen to be gone or ended stays so: an answer may be older than the watch.
    if (!entry.job?.gone && !(entry.job?.ended && !gone)) entry.job = facts;
  }

  /** Nobody asks for it any more. */
  forget(jobUid: string): void {
    const entry = this.entries.get(jobUid);
    if (entry?.job?.gone) this.entries.delete(jobUid);
  }

  /** Asks the API server itself, for a decision that must not rest on a watch that may be late. @throws when there is no answer */
  async refresh(jobUid: string): Promise<void> {
    const entry = this.entryOf(jobUid);
    if (!entry.job || entry.job.gone) return;
    const { cluster, namespace } = this.parts;
    const found = await cluster.get({ ...jobKind, namespace, name: entry.job.name }, this.ending.signal);
    if (found?.metadata.uid === jobUid) this.note(found);
    else entry.job = { ...entry.job, gone: true };
    const labelSelector = `batch.kubernetes.io/job-name=${entry.job.name}`;
    for await (const pod of cluster.list(podKind, { namespace, labelSelector, signal: this.ending.signal })) this.takePod({ type: 'present', object: pod });
  }

  private async follow(kind: typeof jobKind, take: (change: ObjectChange) => void, present: Set<string>, listed: () => void): Promise<void> {
    let first = { resolve: (): void => undefined, reject: (_: unknown): void => undefined };
    const ready = new Promise<void>((resolve, reject) => (first = { resolve, reject }));
    const onListed = (): void => {
      this.problems.delete(kind.kind);
      listed();
      present.clear();
      first.resolve();
    };
    void this.forEver(kind, take, present, onListed, first.reject);
    return ready;
  }

  private async forEver(kind: typeof jobKind, take: (change: ObjectChange) => void, present: Set<string>, listed: () => void, failed: (error: unknown) => void): Promise<void> {
    const { cluster, namespace, labelSelector, log } = this.parts;
    const { signal } = this.ending;
    for (let pauseMs = firstPauseMs; !signal.aborted; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      try {
        for await (const change of cluster.watch(kind, { namespace, labelSelector, signal, listed })) {
          pauseMs = firstPauseMs;
          if (change.type === 'present') present.add(change.object.metadata.uid ?? '');
          take(change);
        }
      } catch (error) {
        if (signal.aborted) return;
        failed(error);
        const message = error instanceof Error ? error.message : String(error);
        if (this.problems.get(kind.kind) !== message) log.warn({ kind: kind.kind, error: message }, 'the watch of workers is cut; it is begun again');
        this.problems.set(kind.kind, message);
      }
      present.clear();
      await delay(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }

  private takeJob({ type, object }: ObjectChange): void {
    const facts = jobFacts(object, type === 'deleted');
    if (facts.uid === '') return;
    this.entryOf(facts.uid).job = facts;
    if (type !== 'deleted') this.parts.seen(object);
    this.parts.changed(facts.uid);
    if (type === 'deleted') this.parts.gone(facts.uid);
  }

  private takePod({ type, object }: ObjectChange): void {
    const facts = podFacts(object, this.parts.container, type === 'deleted');
    if (!facts) return;
    this.entryOf(facts.jobUid).pods.set(facts.uid, facts);
    this.parts.changed(facts.jobUid);
    const entry = this.entries.get(facts.jobUid);
    if (entry && entry.job?.gone !== false && [...entry.pods.values()].every((pod) => pod.gone)) this.entries.delete(facts.jobUid);
  }

  /** Deleted while no watch was there to say so. A Job that was made since the list is asked for by name. */
  private async missJobs(present: ReadonlySet<string>): Promise<void> {
    for (const [uid, { job }] of this.entries) {
      if (!job || job.gone || present.has(uid)) continue;
      await this.refresh(uid).then(() => this.parts.changed(uid), (error: unknown) => this.parts.log.warn({ job: job.name, error: String(error) }, 'a Job could not be read'));
    }
  }

  private missPods(present: ReadonlySet<string>): void {
    for (const [jobUid, { pods }] of this.entries) {
      for (const pod of pods.values()) {
        if (pod.gone || present.has(pod.uid)) continue;
        pods.set(pod.uid, { ...pod, gone: true });
        this.parts.changed(jobUid);
      }
    }
  }

  private entryOf(jobUid: string): Entry {
    let entry = this.entries.get(jobUid);
    if (!entry) this.entries.set(jobUid, (entry = { pods: new Map() }));
    return entry;
  }
}
