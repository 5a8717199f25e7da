import { HttpException } from '@nestjs/common';

/** A refusal in one sentence, with what a program may want beside it: `{ error, ...details }`. */
export class ProblemException extends HttpException {
  constructor(status: number, error: string, details: Record<string, unknown> = {}) {
    super({ error, ...details }, status);
  }
}
