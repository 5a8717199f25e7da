import { startLarryService } from '@larry/coordinator';
import { developmentPlaybooks } from '@larry/playbooks-development';
import { runService } from '@larry/service';
import path from 'node:path';

runService(() => startLarryService({ id: 'larry-03', libraries: [developmentPlaybooks], workerProgram: path.join(__dirname, 'worker.js') }));
