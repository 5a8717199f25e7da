import 'reflect-metadata';
import { startLarryService } from '@larry/coordinator/nest';
import { runService } from '@larry/service/nest';
import path from 'node:path';
import { configuredFault, installLarryPoints } from '../fault-points';
import { testPlaybooks } from '../playbooks';

const fault = configuredFault();
if (fault) installLarryPoints(fault);
runService(() =>
  startLarryService({ id: process.env['TEST_LARRY'] ?? 'larry-01', libraries: [testPlaybooks], workerProgram: path.join(__dirname, 'test-worker.js') }),
);
