"""A stand-in for the parts of AWS that Genkan talks to, speaking AWS's own protocols.

Organizations, IAM Identity Center (sso-admin), its identity store, STS and IAM's list of managed policies share one
port and one world in memory, so that unmodified boto3 clients work with `AWS_ENDPOINT_URL=http://localhost:<port>`.

>>> world = AwsWorld()
>>> with Serving(AwsSimulator(world)) as serving:
...     boto3.client("sso-admin", endpoint_url=serving.url, region_name=world.region)
"""

from simulators.aws.entities import Assignment
from simulators.aws.faults import Fault, ProvisioningFault
from simulators.aws.limits import Limits, Rate
from simulators.aws.simulator import AwsSimulator
from simulators.aws.world import AwsWorld

__all__ = ["Assignment", "AwsSimulator", "AwsWorld", "Fault", "Limits", "ProvisioningFault", "Rate"]
