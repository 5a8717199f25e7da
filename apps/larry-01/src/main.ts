import { startLarryService } from '@larry/coordinator';
import { infrastructurePlaybooks } from '@larry/playbooks-infrastructure';
import { runService } from '@larry/service';
import path from 'node:path';

runService(() => startLarryService({ id: 'larry-01', libraries: [infrastructurePlaybooks], workerProgram: path.join(__dirname, 'worker.js') }));
