"""All ten kinds of the register's files, read whole, against totals counted beforehand."""

from collections import Counter
from decimal import Decimal

import pytest

from harness.cnpj import LAYOUTS, check_digits

ROWS = {"empresas": 2006, "estabelecimentos": 2006, "socios": 2000, "simples": 2000, "cnaes": 1359, "motivos": 63,
        "municipios": 5572, "naturezas": 91, "paises": 255, "qualificacoes": 68}


@pytest.fixture(scope="module")
def tables(binary, dump, tmp_path_factory):
    """Every table of the dump, through one run that writes ten datasets."""
    from harness.project import Project

    project = Project(tmp_path_factory.mktemp("register"), binary)
    frames = {name: {"read": {"csv": f"{dump}/{name.capitalize()}*.zip", "layout": f"cnpj/{name}"}} for name in LAYOUTS}
    frames["empresas"]["steps"] = [{"derive": {"capital": "cast(replace(capital_social, ',', '.') as decimal(18,2))"}}]
    writes = [{"frame": name, "parquet": f"out/{name}"} for name in LAYOUTS]
    project.run_ok("run", project.job({"ops": {"load": {"frames": frames, "write": writes}}}))
    return {name: project.read(f"out/{name}") for name in LAYOUTS}


def column(table, name):
    return table[name].to_pylist()


@pytest.mark.parametrize("name", LAYOUTS)
def test_layout_has_the_official_columns_and_all_rows(tables, name):
    assert [c for c in tables[name].column_names if c != "capital"] == LAYOUTS[name]
    assert tables[name].num_rows == ROWS[name]


def test_companies_add_up(tables):
    capital = column(tables["empresas"], "capital")
    assert sum(capital) == Decimal("91303541.54") and max(capital) == Decimal("15646000.00")
    assert Counter(column(tables["empresas"], "porte")) == {"01": 1589, "03": 62, "05": 354, "07": 1}


def test_establishments_add_up(tables):
    table = tables["estabelecimentos"]
    assert Counter(column(table, "situacao_cadastral")) == {"01": 2, "02": 856, "03": 6, "04": 227, "05": 1, "07": 1, "08": 913}
    secondary = [value.split(",") for value in column(table, "cnae_fiscal_secundaria") if value]
    assert (sum(map(len, secondary)), len(secondary), max(map(len, secondary))) == (3433, 984, 97)
    dates = column(table, "data_situacao_cadastral")
    assert dates.count("0") == 5 and "AC" not in column(table, "uf")


def test_simples_adds_up(tables):
    table = tables["simples"]
    flags = Counter(zip(column(table, "opcao_simples"), column(table, "opcao_mei")))
    assert flags == {("S", "S"): 735, ("S", "N"): 330, ("N", "N"): 935}


def test_partners_add_up(tables):
    assert Counter(column(tables["socios"], "identificador_socio")) == {"1": 41, "2": 1958, "3": 1}


@pytest.mark.parametrize("name, text", [("cnaes", "Cultivo de algodão herbáceo"),
                                        ("qualificacoes", "Sócio-Administrador")])
def test_accents_are_letters(tables, name, text):
    assert any(text.casefold() in value.casefold() for value in column(tables[name], "descricao"))


VALID = ["12ABC34501DE35", "00000000E08G12", "93ZB0VRYV6KA67", "33683111000280", "19131243000197"]
INVALID = ["12ABC34501DE36", "33683111000281", "3368311100028", "336831110002800",
           "12ABC34501DEA5", ""]


def test_the_tests_own_check_digits_are_right():
    assert all(check_digits(cnpj[:12]) == cnpj[12:] for cnpj in VALID)


def test_alphanumeric_numbers_are_checked_and_formatted(project):
    project.write("in.csv", "cnpj\n" + "".join(f'"{c}"\n' for c in VALID + INVALID))
    frame = {"read": {"csv": "in.csv"},
             "steps": [{"derive": {"valid": "cnpj_valid(cnpj)", "formatted": "cnpj_format(cnpj)"}}]}
    project.run_ok("run", project.job({"ops": {"check": {"frames": {"n": frame}, "write": [{"frame": "n", "parquet": "out"}]}}}))
    found = {row["cnpj"]: row for row in project.read("out").to_pylist()}
    assert {c: found[c]["valid"] for c in VALID + INVALID} == {**dict.fromkeys(VALID, True), **dict.fromkeys(INVALID, False)}
    assert found["12ABC34501DE35"]["formatted"] == "12.ABC.345/01DE-35"


def test_alphanumeric_roots_join_as_text(project):
    project.write("e.csv", '"12ABC345";"01DE";"35"\n"00000000";"E08G";"12"\n"12ABC34";"5";"x"\n')
    project.write("c.csv", '"12ABC345";"LETRAS LTDA"\n"00000000";"ZEROS SA"\n"0";"OUTRA"\n')
    frames = {"c": {"read": {"csv": "c.csv", "delimiter": ";", "columns": ["cnpj_basico", "razao_social"]}},
              "e": {"read": {"csv": "e.csv", "delimiter": ";", "columns": ["cnpj_basico", "cnpj_ordem", "cnpj_dv"]},
                    "steps": [{"join": {"with": "c", "on": "cnpj_basico", "how": "left"}}]}}
    project.run_ok("run", project.job({"ops": {"j": {"frames": frames, "write": [{"frame": "e", "parquet": "out"}]}}}))
    found = project.read("out").to_pylist()
    assert {(r["cnpj_basico"], r["razao_social"]) for r in found} == {
        ("12ABC345", "LETRAS LTDA"), ("00000000", "ZEROS SA"), ("12ABC34", None)}
