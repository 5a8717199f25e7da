// Preloaded into a measured process: writes its peak memory (bytes) and CPU time (ms) where BENCH_PEAK_FILE says.
process.on('exit', () => {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  const seen = { peak: maxRSS * 1024, cpu: (userCPUTime + systemCPUTime) / 1000 };
  require('node:fs').writeFileSync(process.env.BENCH_PEAK_FILE, JSON.stringify(seen));
});
