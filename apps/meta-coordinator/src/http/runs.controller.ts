import { Body, Controller, Get, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import type { LarryReport, RunStatusView, RunSummary } from '@larry/contracts';
import type { TaskRecord } from '@larry/coordination';
import { bearerOf, type NamedRequest } from '../access/access.middleware';
import { beginRunSchema } from '../runs/run-requests';
import { RunsService, type BegunRun } from '../runs/runs.service';
import { checked } from './body';

/** Runs over HTTP; described in the readme and at `/docs`. */
@Controller('runs')
export class RunsController {
  constructor(@Inject(RunsService) private readonly runs: RunsService) {}

  @Post()
  begin(@Body() body: unknown, @Req() request: NamedRequest): Promise<BegunRun> {
    return this.runs.begin(checked(beginRunSchema, body ?? {}), bearerOf(request));
  }

  @Post('reset')
  @HttpCode(200)
  reset(@Req() request: NamedRequest): Promise<{ run?: string; keysRemoved: number }> {
    return this.runs.reset(bearerOf(request));
  }

  @Get('current')
  status(): Promise<RunStatusView> {
    return this.runs.status();
  }

  @Get('current/report')
  report(): Promise<RunSummary> {
    return this.runs.summary();
  }

  @Get('current/reports/:larry')
  larryReport(@Param('larry') larry: string): Promise<LarryReport> {
    return this.runs.larryReport(larry);
  }

  @Get('current/tasks/:task')
  task(@Param('task') task: string): Promise<TaskRecord> {
    return this.runs.task(task);
  }

  @Post('current/abort')
  @HttpCode(200)
  abort(@Req() request: NamedRequest): Promise<{ run: string; leasedUntil: string }> {
    return this.runs.abort(bearerOf(request));
  }
}
