import type { RunSummary } from '@larry/contracts';
import { aFinding, aLarryReport, aRunSummary, aTaskReport, aTaskResult } from '../builders';

const hostile = '</script><script>alert(1)</script>"\'><img src=http://evil onerror=x> &lt; [a](javascript:x) | `b` \u202e\u001b[31m\n# heading\n';
const observation = { subject: hostile, value: hostile, at: hostile, basis: hostile };
const criterion = { id: 'c', text: hostile, verdict: 'met' as const, observation, reason: hostile };

const result = aTaskResult({
  summary: hostile,
  figures: { [hostile]: hostile },
  criteria: [criterion],
  findings: [aFinding({ title: hostile })],
  changes: [{ id: hostile, summary: hostile, target: aFinding().object, outcome: 'refused', reason: hostile, digest: 'd', diff: hostile }],
  unknowns: [{ subject: hostile, reason: hostile }],
  artifacts: { lineageSvg: `<svg onload="x">${hostile}</svg>` },
});

/** A summary in which every text is meant to break out of the report; also of reports that come from files. */
export const hostileSummary: RunSummary = aRunSummary({
  run: hostile,
  plan: { id: hostile, title: hostile, hash: hostile },
  source: { type: 'live', name: hostile, simulated: true },
  startedAt: hostile,
  endedAt: hostile,
  larrys: [
    aLarryReport(
      [aTaskReport({ task: 'classify-assets', title: hostile, worker: hostile, node: hostile, result }), aTaskReport({ task: hostile, status: 'skipped', skipReason: 'no-target', reason: hostile })],
      { larry: hostile, title: hostile },
    ),
  ],
  validations: [
    { task: hostile, larry: hostile, at: hostile, criteria: [criterion], turned: [hostile] },
    { task: hostile, larry: hostile, at: hostile, criteria: [], turned: [], problem: hostile },
  ],
  crossChecks: [{ id: hostile, title: hostile, verdict: 'differs', observation: hostile }],
  tokens: [{ node: hostile, used: 1, limit: 2, overshoot: 0 }],
  sinceLast: { previousRun: hostile, new: [hostile], gone: [hostile] },
  lessons: [hostile],
  nextSteps: [hostile],
});
