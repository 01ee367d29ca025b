"""Charges: alarms and a budget, in the one region where charges are known."""

from __future__ import annotations

from cityline.deploy.estate import BILLING_REGION, Estate
from cityline.deploy.policies.keys import alarms_send
from cityline.deploy.stacks.audit import add_topic
from cityline.deploy.stacks.keys import add_own_key
from cityline.deploy.template import Template, att, ref

_SIX_HOURS = 21_600
_WARNINGS = {"Half": 0.5, "Most": 0.8, "All": 1.0}


def build(estate: Estate) -> Template:
    """A topic with its key, an alarm at each part of the budget, and the budget itself."""
    template = estate.template("charges, alarms and budget", BILLING_REGION)
    email = template.parameter("AlarmEmail", "Who is told of charges", AllowedPattern=".+@.+")
    key = add_own_key(template, estate, "Alarms about charges", alarms_send())
    add_topic(template, estate.names, email, att(key))
    budget = estate.settings.monthly_budget_usd
    for name, share in _WARNINGS.items():
        template.add(
            f"{name}Alarm",
            "CloudWatch::Alarm",
            {
                "ActionsEnabled": True,
                "AlarmActions": [ref("Alarms")],
                "AlarmDescription": f"{share:.0%} of the month's {budget:g} USD are spent",
                "AlarmName": f"{estate.settings.prefix}-charges-{name.lower()}",
                "ComparisonOperator": "GreaterThanThreshold",
                "Dimensions": [{"Name": "Currency", "Value": "USD"}],
                "EvaluationPeriods": 1,
                "MetricName": "EstimatedCharges",
                "Namespace": "AWS/Billing",
                "Period": _SIX_HOURS,
                "Statistic": "Maximum",
                "Tags": template.labels(),
                "Threshold": round(budget * share),
                "TreatMissingData": "notBreaching",
            },
        )
    _budget(template, estate)
    return template


def _budget(template: Template, estate: Estate) -> None:
    """What was spent, and what is foreseen; both are told through the topic."""
    subscribers = [{"Address": ref("Alarms"), "SubscriptionType": "SNS"}]
    notices = [
        {
            "Notification": {
                "ComparisonOperator": "GREATER_THAN",
                "NotificationType": kind,
                "Threshold": threshold,
                "ThresholdType": "PERCENTAGE",
            },
            "Subscribers": subscribers,
        }
        for kind, threshold in (("ACTUAL", 80), ("ACTUAL", 100), ("FORECASTED", 100))
    ]
    template.add(
        "Budget",
        "Budgets::Budget",
        {
            "Budget": {
                "BudgetLimit": {"Amount": estate.settings.monthly_budget_usd, "Unit": "USD"},
                "BudgetName": f"{estate.settings.prefix}-monthly",
                "BudgetType": "COST",
                "TimeUnit": "MONTHLY",
            },
            "NotificationsWithSubscribers": notices,
        },
        after=["AlarmsPolicy"],
    )
