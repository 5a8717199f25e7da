import { aLarryReport, aRunSummary, aTaskReport } from '../builders';
import { markupProblems } from '../markup-problems';
import { ganttSvg } from './gantt';

const svgOf = (...tasks: ReturnType<typeof aTaskReport>[]) => ganttSvg(aRunSummary({ larrys: [aLarryReport(tasks)] }));
const withoutTimes = (task: Parameters<typeof aTaskReport>[0]) => {
  const { startedAt: _, endedAt: __, ...rest } = aTaskReport(task);
  return rest;
};

describe('ganttSvg', () => {
  it('is well-formed, whatever the names', () => {
    const name = '</text><script>x</script>"\'&\u0000\uffff\u202e'.repeat(20);
    expect(markupProblems(svgOf(aTaskReport({ worker: name, node: name }), withoutTimes({ worker: name, status: 'failed', reason: name })))).toEqual([]);
    expect(svgOf(aTaskReport({ worker: name }))).not.toMatch(/[\u0000\uffff\u202e]/);
  });

  it('draws a bar where work was done, as long as it took, and none where none was', () => {
    const done = svgOf(aTaskReport({ startedAt: '2026-01-02T03:04:05.000Z', endedAt: '2026-01-02T03:04:10.000Z' }));
    expect(done).toMatch(/<rect x="270\.0" [^>]*width="350\.0"/);
    expect(done).toContain('5.0 s of 15 min planned');
    const skipped = svgOf(aTaskReport({ status: 'skipped', skipReason: 'not-built' }));
    expect(skipped).not.toContain('<rect');
    expect(skipped).toContain('skipped: not-built');
  });

  it('does not call a task skipped that failed before it began, or that still runs', () => {
    expect(svgOf(withoutTimes({ status: 'failed', reason: 'timed out' }))).toContain('failed: timed out');
    const { endedAt: _, ...running } = aTaskReport({ status: 'in_progress' });
    expect(svgOf(running)).toMatch(/>in_progress</);
    expect(svgOf(running)).not.toContain('skipped');
  });

  it('keeps bars inside the picture when clocks differ, and draws no NaN', () => {
    const svg = svgOf(aTaskReport({ startedAt: '2020-01-01T00:00:00Z', endedAt: '2030-01-01T00:00:00Z' }), aTaskReport({ startedAt: 'soon', endedAt: 'later' }));
    expect(svg).toMatch(/<rect x="270\.0" [^>]*width="700\.0"/);
    expect(svg).not.toContain('NaN');
  });
});
