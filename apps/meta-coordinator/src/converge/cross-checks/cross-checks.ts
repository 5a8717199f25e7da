export { crossChecks, type CrossCheckReport } from '@larry/reports';
