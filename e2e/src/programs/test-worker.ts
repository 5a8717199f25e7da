import { runWorkerProgram } from '@larry/coordinator';
import { appendFileSync } from 'node:fs';
import { configuredFault, installWorkerPoints } from '../fault-points';
import { testPlaybooks } from '../playbooks';

const { TEST_BOOT_FILE: bootFile, TEST_STARTUP_MS: startupMs, LARRY_TASK: task, LARRY_CLAIM: claim, LARRY_ATTEMPT: attempt } = process.env;
if (bootFile && task) appendFileSync(bootFile, `${JSON.stringify({ pid: process.pid, task, claim, attempt, at: Date.now() })}\n`);
const fault = configuredFault();
if (fault) installWorkerPoints(fault);
// A slow start-up: an image pull, a cold disk.
setTimeout(() => runWorkerProgram([testPlaybooks]), Number(startupMs ?? 0));
