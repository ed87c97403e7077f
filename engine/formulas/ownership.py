"""Ownership: what a bought accelerator costs, in whole nodes, and what the books show beside it.

Knows nothing of sheets, files or other formulas. A row is a kind of node. The economic cost charges capital evenly over
the service life with interest; the books charge straight-line depreciation and no interest.
"""

import numpy as np

from engine.units import (
    A_YEAR,
    DAYS_PER_YEAR,
    HOURS_PER_DAY,
    MONTHS_PER_YEAR,
    NOT_AVAILABLE,
    Constant,
    Count,
    Dollars,
    DollarsPerHour,
    DollarsPerMonth,
    DollarsPerYear,
    Kilowatts,
    SharePerYear,
)

NOISE = Constant(1e-9, "")


def replicas_per_node(accelerators_per_node, accelerator_count) -> Count:
    """Replicas that stand in one node; one where a replica takes several nodes.

    Source: definition; a replica's accelerators are linked within a node.
    """
    return np.maximum(1, np.floor(accelerators_per_node / accelerator_count + NOISE))


def nodes_per_replica(accelerator_count, accelerators_per_node) -> Count:
    """Whole nodes of a replica that does not fit into one; else one.

    Source: definition.
    """
    return np.maximum(1, np.ceil(accelerator_count / accelerators_per_node - NOISE))


def required_nodes(replica_count, prefill_replica_count, replicas_per_node, nodes_per_replica) -> Count:
    """Whole nodes that the replicas of a fleet need.

    Source: definition.
    """
    return np.ceil((replica_count + prefill_replica_count) / replicas_per_node - NOISE) * nodes_per_replica


def capital_recovery_factor(cost_of_capital, service_life) -> SharePerYear:
    """Even yearly payment, at the end of each year, that pays back a dollar with interest over the service life.

    Without interest it is one over the life. Service lives that operators report: 5 to 6 years for servers (annual
    reports of Amazon, Alphabet, Meta, Microsoft, 2024).

    Source: engineering economics, the A/P factor.
    """
    growth = (1 + cost_of_capital) ** (service_life / A_YEAR)
    annuity = np.where(cost_of_capital > NOISE, cost_of_capital * growth / (growth - 1) / A_YEAR, 1 / service_life)
    return np.where(service_life > 0, annuity, NOT_AVAILABLE)


def node_residual(node_purchase_price, residual_share) -> Dollars:
    """What a node still sells for at the end of its service life.

    Source: definition; the share is an assumption.
    """
    return node_purchase_price * residual_share


def node_capital_cost(
    node_purchase_price, installation_cost, node_residual, capital_recovery_factor, cost_of_capital
) -> DollarsPerYear:
    """A year's share of price and installation with interest; what comes back at the end only costs its interest.

    Source: engineering economics, capital recovery with salvage value.
    """
    spent = (node_purchase_price + installation_cost - node_residual) * capital_recovery_factor
    return spent + node_residual * (cost_of_capital / A_YEAR)


def node_maintenance_cost(node_purchase_price, maintenance_share) -> DollarsPerYear:
    """Spare parts and support contract of a node, as a share of its price each year.

    Source: definition; the share is in the support contract.
    """
    return node_purchase_price * maintenance_share / A_YEAR


def node_power(node_base_power, accelerators_per_node, accelerator_power) -> Kilowatts:
    """Draw of a node: the server itself, and every accelerator in it whether it serves or not.

    Source: definition; NVIDIA gives 10.2 kW for a DGX H100 at most, of which eight accelerators take 0.7 kW each.
    """
    return node_base_power + accelerators_per_node * accelerator_power


def node_power_cost(node_power, power_usage_effectiveness, electricity_price) -> DollarsPerYear:
    """Electricity of a node for a year, with the cooling and losses of its building.

    Source: definition; the average building took 1.56 times what its servers took (Uptime Institute survey, 2024).
    """
    return node_power * power_usage_effectiveness * electricity_price * HOURS_PER_DAY * DAYS_PER_YEAR


def node_hosting_cost(node_power, hosting_price) -> DollarsPerYear:
    """Space in a building for a year, by the power that is reserved; electricity is not in it.

    Source: definition; $184.06 a kW and month was asked on average (CBRE, North America Data Center Trends H2 2024).
    """
    return node_power * hosting_price * MONTHS_PER_YEAR


def node_licence_cost(accelerators_per_node, accelerator_licence_price) -> DollarsPerYear:
    """Software that is licensed by the accelerator, for a year.

    Source: definition; NVIDIA AI Enterprise is listed at $4,500 an accelerator and year.
    """
    return accelerators_per_node * accelerator_licence_price


def node_running_cost(
    node_maintenance_cost, node_power_cost, node_hosting_cost, node_staff_cost, node_licence_cost
) -> DollarsPerYear:
    """What a node costs in a year beside its capital.

    Source: definition.
    """
    return node_maintenance_cost + node_power_cost + node_hosting_cost + node_staff_cost + node_licence_cost


def node_cost(node_capital_cost, node_running_cost) -> DollarsPerYear:
    """A node for a year, all-in.

    Source: definition.
    """
    return node_capital_cost + node_running_cost


def accelerator_hour(node_year_cost, accelerators_per_node) -> DollarsPerHour:
    """An accelerator's part of what a node costs in a year, for an hour, busy or not: what stands beside a rent.

    Source: definition.
    """
    return node_year_cost / accelerators_per_node / HOURS_PER_DAY / DAYS_PER_YEAR


def node_month_cost(node_cost, days_in_month) -> DollarsPerMonth:
    """A node for the month, by its days.

    Source: definition.
    """
    return node_cost / DAYS_PER_YEAR * days_in_month


def node_depreciation(
    node_purchase_price, installation_cost, node_residual, service_life, months_in_service
) -> DollarsPerMonth:
    """What the books write off a node in a month, in equal parts over its life; nothing before it and after it.

    Source: definition, straight-line depreciation in twelfths of a year.
    """
    monthly = (node_purchase_price + installation_cost - node_residual) / (service_life * MONTHS_PER_YEAR)
    in_service = np.logical_and(months_in_service >= 0, months_in_service < service_life * MONTHS_PER_YEAR)
    return np.where(in_service, monthly, 0)


def node_booked_cost(node_depreciation, node_running_cost) -> DollarsPerYear:
    """What the books charge for a node in a year at this depreciation: no interest, and what it costs to run.

    Source: definition; interest is not a cost of serving in the books.
    """
    return node_depreciation * MONTHS_PER_YEAR + node_running_cost


def node_book_value(node_purchase_price, installation_cost, node_residual, service_life, months_in_service) -> Dollars:
    """What a node stands in the books for after some months, never less than its residual.

    Source: definition, straight-line depreciation.
    """
    written_off = np.minimum(1, np.maximum(0, months_in_service / (service_life * MONTHS_PER_YEAR)))
    bought = node_purchase_price + installation_cost
    return np.where(service_life > 0, bought - (bought - node_residual) * written_off, NOT_AVAILABLE)
