import { runWorkerProgram } from '@larry/coordinator';
import { securityPlaybooks } from '@larry/playbooks-security';

runWorkerProgram([securityPlaybooks]);
