import { Body, Controller, Get, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import { bearerOf, type NamedRequest } from '../access/access.middleware';
import { ApprovalsService, type DecidedApproval } from '../runs/approvals.service';
import { decisionSchema, digestPrefixSchema } from '../runs/run-requests';
import type { ApprovalView } from '@larry/contracts';
import { RunsService } from '../runs/runs.service';
import { checked } from './body';

/** Changes that wait for a person. */
@Controller('approvals')
export class ApprovalsController {
  constructor(
    @Inject(RunsService) private readonly runs: RunsService,
    @Inject(ApprovalsService) private readonly decisions: ApprovalsService,
  ) {}

  @Get()
  async list(): Promise<{ approvals: ApprovalView[] }> {
    return { approvals: await this.runs.approvals() };
  }

  @Post(':digest')
  @HttpCode(200)
  decide(@Param('digest') digest: string, @Body() body: unknown, @Req() request: NamedRequest): Promise<DecidedApproval> {
    return this.decisions.decide(checked(digestPrefixSchema, digest), checked(decisionSchema, body ?? {}), bearerOf(request));
  }
}
