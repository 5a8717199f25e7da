import { startLarryService } from '@larry/coordinator/nest';
import { runService } from '@larry/service/nest';
import { larry } from './larry';

runService(() => startLarryService(larry));
