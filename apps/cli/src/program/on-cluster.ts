import type { Command } from 'commander';
import { examples } from './run-address';

/** The commands for Larry on a cluster: the four Helm releases come and go. */
export function onCluster(program: Command): void {
  clusterChoice(program.command('install'))
    .description('Installs the four Helm releases with the Secrets that they need. Shows what it will make, and asks. Read-only, unless --write-namespaces or --repair-helm says otherwise.')
    .option('--images <prefix>', 'where the images are, as scripts/images --repository has it')
    .option('--tag <tag>', "the images' tag (default: the charts' version)")
    .option('--redis-url <url>', 'your Redis: redis://, rediss://, redis-sentinel:// or redis-cluster://; without a password, which others could read in the list of processes')
    .option('--redis-url-file <file>', 'the same, read from a file, or from standard input (-): the way for an address with a password')
    .option('--redis-image <image>', 'a small Redis of its own, from this image')
    .option('--write-namespaces <list>', "namespaces where larry-01 may change what its playbooks declare, separated by commas", listOf, [])
    .option('--repair-helm <list>', 'namespaces where larry-01 may repair what Helm releases own by helm upgrade; he then reads every Secret there', listOf, [])
    .option('--modes <list>', 'what runs may be: observe, ask, auto', listOf, ['observe'])
    .option('--storage-size <size>', 'of the volumes for audit logs (default: 1Gi where something may be changed or approved)')
    .option('--storage-class <name>', 'their storage class (default: the cluster\'s)')
    .option('--single-node', 'small, and without preferences for nodes')
    .option('--values <file>', 'a values file for every release; may be given several times', (file: string, before: string[]) => [...before, file], [])
    .option('--user <name>', 'whom the token names (default: you)')
    .addHelpText('after', `${examples('larry install --images localhost/larry --redis-url redis://redis.redis-ha.svc:6379', 'larry install --images registry.example/larry --redis-image registry.example/redis:7.4 --dry-run', 'larry install --images registry.example/larry --write-namespaces database --modes observe,ask --yes')}\n\nNeeds helm on PATH. Run again, it upgrades; Secrets that are there are kept.`)
    .action(async (options) => (await import('../install/install.js')).install(options));
  clusterChoice(program.command('uninstall'))
    .description('Lists everything of Larry\'s in a cluster (releases, Jobs, Secrets, volumes, annotations, namespaces that larry install made), asks, and removes it.')
    .option('--keep-data', 'keep the volumes: audit logs, the data of a Redis of its own')
    .addHelpText('after', examples('larry uninstall --dry-run', 'larry uninstall --keep-data', 'larry uninstall --context prod --yes'))
    .action(async (options) => (await import('../install/uninstall.js')).uninstall(options));
}

function clusterChoice(command: Command): Command {
  return command
    .option('--kubeconfig <file>', 'the cluster (default: $KUBECONFIG or ~/.kube/config)')
    .option('--context <name>', 'a context of the kubeconfig')
    .option('--dry-run', 'only show it')
    .option('--yes', 'do not ask');
}

function listOf(text: string): string[] {
  return text.split(',').map((part) => part.trim()).filter(Boolean);
}
