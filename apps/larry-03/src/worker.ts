import { runWorkerProgram } from '@larry/coordinator';
import { developmentPlaybooks } from '@larry/playbooks-development';

runWorkerProgram([developmentPlaybooks]);
