import { runWorkerProgram } from '@larry/coordinator';
import { infrastructurePlaybooks } from '@larry/playbooks-infrastructure';

runWorkerProgram([infrastructurePlaybooks]);
