// Preloaded into a measured process: writes its peak memory (bytes) and CPU time (ms; `tree`: with the children that it
// waited for, and theirs) where BENCH_PEAK_FILE says.
const { readFileSync, writeFileSync } = require('node:fs');

const file = process.env.BENCH_PEAK_FILE;
// Not for its children: each would write there.
delete process.env.BENCH_PEAK_FILE;
process.on('exit', () => {
  const { userCPUTime, systemCPUTime } = process.resourceUsage();
  // Not resourceUsage().maxRSS: that begins with what the parent had when it forked.
  const peak = Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) * 1024;
  const [waitedUser, waitedSystem] = readFileSync('/proc/self/stat', 'utf8').replace(/^.*\) /s, '').split(' ').slice(13, 15).map(Number);
  const cpu = (userCPUTime + systemCPUTime) / 1000;
  writeFileSync(file, JSON.stringify({ peak, cpu, tree: cpu + (waitedUser + waitedSystem) * 10 }));
});
