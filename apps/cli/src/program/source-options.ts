import { Option, type Command } from 'commander';

/** The four sources, the same words for every command that reads. */
export function sourceOptions(command: Command): Command {
  return command
    .addOption(new Option('--manifests <dir>', 'read a tree of YAML and JSON manifests').conflicts(['snapshot', 'dump', 'kubeconfig', 'context']))
    .addOption(new Option('--snapshot <dir>', 'read a folder that `larry snapshot` wrote').conflicts(['manifests', 'dump', 'kubeconfig', 'context']))
    .addOption(new Option('--dump <dir>', 'read a folder of `kubectl cluster-info dump --output-directory`').conflicts(['manifests', 'snapshot', 'kubeconfig', 'context']))
    .option('--kubeconfig <file>', 'read a live cluster (default: $KUBECONFIG, ~/.kube/config, or the pod it runs in)')
    .option('--context <name>', 'a context of the kubeconfig');
}
