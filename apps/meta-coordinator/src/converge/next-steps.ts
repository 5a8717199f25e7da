export { nextSteps, type NextStepFacts } from '@larry/reports';
