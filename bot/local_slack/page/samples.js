// Alerts to start with, in the form in which each tool posts them.

export const SAMPLES = [
  {
    name: "Alertmanager: KubePodCrashLooping (firing)",
    app: "Alertmanager",
    payload: {
      attachments: [{
        color: "danger",
        title: "[FIRING:1] KubePodCrashLooping cart (shop prod-eu1 critical)",
        title_link: "https://alertmanager.example.com/#/alerts?receiver=slack",
        text: "",
        fallback: "[FIRING:1] KubePodCrashLooping cart (shop prod-eu1 critical) | https://alertmanager.example.com/#/alerts?receiver=slack",
        mrkdwn_in: ["fallback", "pretext", "text"],
      }],
    },
  },
  {
    name: "Alertmanager: the same, resolved",
    app: "Alertmanager",
    payload: {
      attachments: [{
        color: "good",
        title: "[RESOLVED] KubePodCrashLooping cart (shop prod-eu1 critical)",
        title_link: "https://alertmanager.example.com/#/alerts?receiver=slack",
        fallback: "[RESOLVED] KubePodCrashLooping cart (shop prod-eu1 critical)",
        mrkdwn_in: ["fallback", "pretext", "text"],
      }],
    },
  },
  {
    name: "PagerDuty: incident triggered",
    app: "PagerDuty",
    payload: {
      text: "Triggered #4711: checkout 5xx above 5 %",
      blocks: [
        { type: "section", text: { type: "mrkdwn", text: ":red_circle: *Triggered* <https://acme.pagerduty.com/incidents/Q1|#4711: checkout 5xx above 5 %>" } },
        { type: "context", elements: [{ type: "mrkdwn", text: "*Service:* checkout   *Urgency:* High" }] },
      ],
    },
  },
  {
    name: "Datadog: monitor alert",
    app: "Datadog",
    payload: { attachments: [{ color: "a30200", title: "Triggered: High error rate on payments", title_link: "https://app.datadoghq.com/monitors/123", text: "payments returned 5xx for 12 % of requests.", fields: [{ title: "Tags", value: "service:payments, env:prod", short: true }] }] },
  },
];
