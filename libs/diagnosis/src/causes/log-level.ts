import type { LogFacts } from '../facts/log-index';

const calmWords = 'TRACE|DEBUG|DBG|INFO|INF|NOTICE|NOTE|VERBOSE';
const loudWords = 'WARN|WARNING|WRN|ERROR|ERR|FATAL|FTL|CRITICAL|CRIT|SEVERE|PANIC|ALERT|EMERG|EMERGENCY';

/**
 * Where a level stands: first in the line or after times, numbers and things in brackets (log4j, zap, python, gunicorn, nginx, .NET,
 * env_logger), in upper case unless it is marked off by a bracket or a colon.
 */
const placed = new RegExp(String.raw`^\W{0,3}(?:(?:[\d:.,TZ+/-]+|UTC|\[[^\]]{1,60}\]|\d+#\d+)\W+){0,5}(?:(${calmWords})|(${loudWords}))\b`);
const marked = new RegExp(String.raw`^\W{0,3}(?:(?:[\d:.,TZ+/-]+|\[[^\]]{1,60}\])\W+){0,4}(?:\[(?:\w+:)?(?:(${calmWords})|(${loudWords}))\]|(?:(${calmWords})|(${loudWords})):\s)`, 'i');
/** klog: `I0610 10:22:33.444555       1 main.go:12]`. */
const klog = /^(?:(I)|([WEF]))\d{4} \d\d:\d\d:\d\d/;
/** JSON and logfmt; bunyan and pino count in tens from 10, and 40 is a warning. */
const field = new RegExp(String.raw`["']?\b(?:@?level|lvl|levelname|severity|log\.level)["']?\s?[=:]\s?["']?(?:(${calmWords}|[123]0\b)|(${loudWords}|[456]0\b))`, 'i');

/**
 * A line that its writer does not take for an error, nor for a warning: requests, messages and quotations of others' errors stand in
 * such. A line without a level is none.
 */
export function isCalm(line: string): boolean {
  const start = line.slice(0, 400);
  const found = klog.exec(start) ?? placed.exec(start) ?? marked.exec(start) ?? field.exec(start);
  return found !== null && (found[1] ?? found[3]) !== undefined;
}

/** klog's errors carry no word that says so. */
const klogError = /^[EF]\d{4} \d\d:\d\d:\d\d/;

const errorLine = /\b(?:ERROR|FATAL|CRITICAL|SEVERE|panic:|Traceback|Exception|Error:|fatal error|panicked at|core dumped|terminate called|Caused by|segfault|Segmentation fault|unhandled|uncaught|assert)/i;

/** The last line in which a program itself says that something is wrong; what it only quotes is not one. */
export function lastErrorLine(log: LogFacts): string | undefined {
  return log.lines.findLast((line) => klogError.test(line) || (errorLine.test(line) && !isCalm(line)));
}
