import { startLarryService } from '@larry/coordinator';
import { securityPlaybooks } from '@larry/playbooks-security';
import { runService } from '@larry/service';
import path from 'node:path';

runService(() => startLarryService({ id: 'larry-02', libraries: [securityPlaybooks], workerProgram: path.join(__dirname, 'worker.js') }));
