"""The same declarations as AWS infrastructure: templates, and what must hold of them.

What is rendered (names, policies, recipes, rules, questions, templates) is plain data and needs
nothing beyond Cityline; `cdk` puts it through the AWS CDK, an extra. Nothing here talks to AWS, and
no template holds an account's number.
"""
