"""The trail as a table, and what an auditor asks of it."""

from __future__ import annotations

from dataclasses import dataclass

_IDENTITY = (
    "struct<type:string,principalid:string,arn:string,accountid:string,invokedby:string,"
    "accesskeyid:string,username:string,sessioncontext:struct<attributes:struct<"
    "mfaauthenticated:string,creationdate:string>,sessionissuer:struct<type:string,"
    "principalid:string,arn:string,accountid:string,username:string>>>"
)
COLUMNS = (
    ("eventversion", "string"), ("useridentity", _IDENTITY), ("eventtime", "string"),
    ("eventsource", "string"), ("eventname", "string"), ("awsregion", "string"),
    ("sourceipaddress", "string"), ("useragent", "string"), ("errorcode", "string"),
    ("errormessage", "string"), ("requestparameters", "string"), ("responseelements", "string"),
    ("additionaleventdata", "string"), ("requestid", "string"), ("eventid", "string"),
    ("resources", "array<struct<arn:string,accountid:string,type:string>>"),
    ("eventtype", "string"), ("apiversion", "string"), ("readonly", "string"),
    ("recipientaccountid", "string"), ("serviceeventdetails", "string"),
    ("sharedeventid", "string"), ("vpcendpointid", "string"),
)  # fmt: skip
"""CloudTrail's columns as Athena's own SerDe reads them."""


TABLE = "events"
"""What the trail's table is called, in the database of its zone."""


DEFAULT_REGIONS = (
    "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1",
    "ap-southeast-2", "ca-central-1", "eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2",
    "eu-west-3", "sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2",
)  # fmt: skip
"""The regions that are on in every account: those from before 20 March 2019, as AWS's guide to
accounts tells. Every newer one is off until somebody switches it on."""


@dataclass(frozen=True, slots=True)
class Audit:
    """A named question about the trail; `sql` has `{table}`, `{prefix}` and the last days."""

    name: str
    title: str
    sql: str

    def saved(self, table: str, prefix: str) -> str:
        """The query as Athena keeps it."""
        return f"-- {self.title}\n" + self.sql.format(table=table, prefix=prefix, since=_SINCE)


_SINCE = "day >= date_format(current_date - interval '30' day, '%Y/%m/%d')"

AUDITS = (
    Audit(
        "who-read-what",
        "Who read objects of the zones in the last 30 days?",
        "SELECT useridentity.arn AS who, json_extract_scalar(requestparameters, '$.bucketName') AS"
        " bucket, count(*) AS reads, max(eventtime) AS latest\nFROM {table}\nWHERE {since}\n"
        "  AND eventsource = 's3.amazonaws.com' AND eventname = 'GetObject'\n"
        "  AND json_extract_scalar(requestparameters, '$.bucketName') LIKE '{prefix}-%'\n"
        "GROUP BY 1, 2\nORDER BY reads DESC, who, bucket",
    ),
    Audit(
        "who-wrote-what",
        "Who wrote or deleted objects of the zones in the last 30 days?",
        "SELECT eventtime, useridentity.arn AS who, eventname, "
        "json_extract_scalar(requestparameters, '$.bucketName') AS bucket, "
        "json_extract_scalar(requestparameters, '$.key') AS key\nFROM {table}\nWHERE {since}\n"
        "  AND eventsource = 's3.amazonaws.com'\n"
        "  AND eventname IN ('PutObject', 'DeleteObject', 'CompleteMultipartUpload')\n"
        "  AND json_extract_scalar(requestparameters, '$.bucketName') LIKE '{prefix}-%'\n"
        "ORDER BY eventtime DESC",
    ),
    Audit(
        "refused-calls",
        "Which calls were refused in the last 30 days?",
        "SELECT eventtime, useridentity.arn AS who, eventsource, eventname, errorcode, "
        "errormessage\nFROM {table}\nWHERE {since}\n"
        "  AND (errorcode LIKE 'AccessDenied%' OR errorcode LIKE '%UnauthorizedOperation')\n"
        "ORDER BY eventtime DESC",
    ),
    Audit(
        "changes-of-rules",
        "Who changed a policy, a key, a role or the trail in the last 30 days?",
        "SELECT eventtime, useridentity.arn AS who, eventsource, eventname, requestparameters\n"
        "FROM {table}\nWHERE {since}\n"
        "  AND readonly = 'false'\n"
        "  AND eventsource IN ('iam.amazonaws.com', 'kms.amazonaws.com', "
        "'cloudtrail.amazonaws.com', 's3.amazonaws.com')\n"
        "  AND (eventname LIKE 'Put%Policy%' OR eventname LIKE '%Role%' OR "
        "eventname LIKE '%Trail%' OR eventname LIKE '%Logging' OR eventname LIKE '%Key%')\n"
        "ORDER BY eventtime DESC",
    ),
    Audit(
        "keys-used",
        "Which keys opened data in the last 30 days, and for whom?",
        "SELECT useridentity.arn AS who, resources[1].arn AS key, count(*) AS times\n"
        "FROM {table}\nWHERE {since}\n"
        "  AND eventsource = 'kms.amazonaws.com' AND eventname = 'Decrypt'\n"
        "GROUP BY 1, 2\nORDER BY times DESC, who, key",
    ),
    Audit(
        "root-and-sign-ins",
        "When did root act, and who signed in to the console, in the last 30 days?",
        "SELECT eventtime, useridentity.type AS kind, useridentity.arn AS who, eventname, "
        "sourceipaddress, additionaleventdata\nFROM {table}\nWHERE {since}\n"
        "  AND (useridentity.type = 'Root' OR eventname = 'ConsoleLogin')\n"
        "ORDER BY eventtime DESC",
    ),
)
