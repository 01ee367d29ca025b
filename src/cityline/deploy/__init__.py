"""The same declarations as AWS infrastructure: CloudFormation templates, and what must hold of them.

What is rendered (recipes, rules, questions, policies) is plain data and needs nothing beyond
Cityline; `app` and `stacks` put it into templates with the AWS CDK, an extra. Nothing here talks to
AWS, and no template holds an account's number.
"""
