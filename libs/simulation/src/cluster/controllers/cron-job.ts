import { Controller, type ClientContext } from '../controller';
import { timestamp } from '../clock';
import { ApiError } from '../api-client';
import { kinds, keyOf } from '../kinds';
import { isTerminating, conditionOf } from '../pod-state';
import { controllerReference } from '../template';
import { writeStatus } from '../status-patch';
import type { CronJob, Job } from '../types';
import { isOver } from './job';
import { DependentControl, remove } from './pod-control';
import { nextTime } from './cron-schedule';

/** Starts a Job at each time of a schedule. Times that passed while nobody looked are made up for once. */
export class CronJobController extends Controller {
  private readonly cronJobs = this.watch(kinds.cronJobs);
  private readonly jobs = this.watchFor(kinds.jobs, (job) =>
    (job.metadata.ownerReferences ?? []).filter((owner) => owner.controller && owner.kind === 'CronJob').map((owner) => `${job.metadata.namespace}/${owner.name}`),
  );
  private readonly control = new DependentControl(this.context, 'cronjob-controller');

  constructor(context: ClientContext) {
    super(context, 'cronjob');
  }

  protected async sync(key: string): Promise<void> {
    const cron = this.cronJobs.get(key);
    if (!cron || isTerminating(cron)) return;
    await this.start(cron);
    const jobs = this.jobs.ownedBy(cron.metadata.uid ?? '');
    const active = jobs.filter((job) => !isOver(job));
    const current = this.cronJobs.get(key) ?? cron;
    const ends = jobs.flatMap((job) => (job.status?.completionTime ? [job.status.completionTime] : [])).sort();
    await writeStatus(this.context, kinds.cronJobs, current, {
      ...current.status,
      active: active.length ? active.map((job) => ({ apiVersion: 'batch/v1', kind: 'Job', name: job.metadata.name, namespace: job.metadata.namespace, uid: job.metadata.uid })) : undefined,
      lastSuccessfulTime: ends.at(-1) ?? current.status?.lastSuccessfulTime,
    });
    await this.tidy(cron, jobs, 'Complete', cron.spec.successfulJobsHistoryLimit ?? 3);
    await this.tidy(cron, jobs, 'Failed', cron.spec.failedJobsHistoryLimit ?? 1);
  }

  private async start(cron: CronJob): Promise<void> {
    if (cron.spec.suspend) return;
    const now = this.context.clock.now();
    const since = new Date(cron.status?.lastScheduleTime ?? cron.metadata.creationTimestamp ?? now);
    // Not further back than a day: what was missed longer ago is not made up for.
    let due: Date | undefined;
    let next = nextTime(cron.spec.schedule, new Date(Math.max(since.getTime(), now.getTime() - 86_400_000)));
    if (!next) return this.control.say(cron, 'Warning', 'UnparseableSchedule', `unparseable schedule: ${JSON.stringify(cron.spec.schedule)}`);
    while (next && next <= now) {
      due = next;
      next = nextTime(cron.spec.schedule, next);
    }
    if (due) await this.launch(cron, due);
    if (next) this.enqueueAfter(keyOf(cron), next.getTime() - now.getTime());
  }

  private async launch(cron: CronJob, due: Date): Promise<void> {
    const running = this.jobs.ownedBy(cron.metadata.uid ?? '').filter((job) => !isOver(job));
    if (cron.spec.concurrencyPolicy === 'Forbid' && running.length) return;
    if (cron.spec.concurrencyPolicy === 'Replace') for (const job of running) await remove(this.context, kinds.jobs, job, { propagationPolicy: 'Background' });
    // The name is made of the time, so that the same time never starts two.
    const name = `${cron.metadata.name}-${Math.floor(due.getTime() / 60_000)}`;
    const job: Job = {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: {
        name,
        namespace: cron.metadata.namespace,
        labels: cron.spec.jobTemplate.metadata?.labels,
        annotations: { ...cron.spec.jobTemplate.metadata?.annotations, 'batch.kubernetes.io/cronjob-scheduled-timestamp': timestamp(due) },
        ownerReferences: [controllerReference(cron)],
      },
      spec: structuredClone(cron.spec.jobTemplate.spec),
    };
    try {
      await this.control.create(kinds.jobs, cron, job);
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 409)) throw error;
    }
    await writeStatus(this.context, kinds.cronJobs, cron, { ...cron.status, lastScheduleTime: timestamp(due) });
  }

  private async tidy(cron: CronJob, jobs: Job[], type: string, keep: number): Promise<void> {
    const over = jobs.filter((job) => conditionOf(job, type)?.status === 'True').sort((a, b) => (a.status?.startTime ?? '').localeCompare(b.status?.startTime ?? ''));
    for (const job of over.slice(0, Math.max(0, over.length - keep))) await remove(this.context, kinds.jobs, job, { propagationPolicy: 'Background' });
  }
}
