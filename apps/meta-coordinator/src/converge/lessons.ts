export { lessons, type LessonFacts } from '@larry/reports';
