export { aCheckReport, aCriterion, aFinding, aLarryReport, aRunSummary, aTaskReport, aTaskResult } from './builders';
export { markupProblems } from './markup-problems';
