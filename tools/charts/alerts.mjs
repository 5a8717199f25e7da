// Alert rules of each chart, in Prometheus' own format: `promtool check rules helm/larry-01/files/alerts.yaml`.
const rule = (alert, expr, duration, severity, summary, description) => ({
  alert,
  expr,
  for: duration,
  labels: { severity },
  annotations: { summary, description },
});

/** The rule groups of a chart. */
export function alertsOf(chart) {
  return chart === 'meta-coordinator' ? metaAlerts() : larryAlerts(chart);
}

function larryAlerts(id) {
  return {
    groups: [
      {
        name: id,
        rules: [
          rule('LarryCoordinatorGone', `absent(up{job="${id}-coordinator"} == 1)`, '10m', 'warning', `No coordinator of ${id} answers Prometheus.`, `kubectl get pods -n ${id} -l app=larry-coordinator says why.`),
          rule('LarryCoordinatorRestarts', `changes(process_start_time_seconds{larry_id="${id}"}[30m]) > 3`, '0m', 'warning', `A coordinator of ${id} has restarted more than three times in half an hour.`, `kubectl logs -n ${id} -l app=larry-coordinator --previous says why.`),
          rule('LarryCoordinatorMemory', `process_resident_memory_bytes{larry_id="${id}"} > 300e6`, '15m', 'warning', `A coordinator of ${id} holds more than 300 MB.`, 'It is measured at 107 MB (docs/performance.md); its limit is near.'),
        ],
      },
    ],
  };
}

// The first alert makes the series: increase() sees no growth in it.
const alertsGrow = 'sum by (event) (larry_alerts_total) > (sum by (event) (larry_alerts_total offset 10m) or sum by (event) (larry_alerts_total) * 0)';
const phaseStands =
  'max by (larry_id) (larry_phase_progress) < 100 and on (larry_id) max by (larry_id) (larry_workers_active) > 0 and on (larry_id) max by (larry_id) (changes(larry_phase_progress[30m])) == 0';

function metaAlerts() {
  return {
    groups: [
      {
        name: 'meta-coordinator',
        rules: [
          rule('LarryMetaCoordinatorGone', 'absent(up{job="meta-coordinator"} == 1)', '10m', 'warning', 'The meta-coordinator does not answer Prometheus.', 'kubectl get pods -l app=meta-coordinator -A says why. Runs wait for it at the barrier.'),
          rule('LarryAlerts', alertsGrow, '0m', 'warning', 'Larry raises an alert: {{ $labels.event }}.', 'larry status shows the run; the log of the meta-coordinator holds the alert.'),
          rule('LarryPhaseStands', phaseStands, '15m', 'warning', 'The phase of {{ $labels.larry_id }} has workers and has made no progress for 30 minutes.', 'larry status names the tasks; kubectl logs of their Jobs says what they do.'),
        ],
      },
    ],
  };
}
