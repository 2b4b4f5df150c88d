"""What it takes to tell of a million births: that every part is measured, here of a few."""

from tests.reports.million import fill, tell


def test_every_part_is_measured_of_a_store_of_any_size(tmp_path):
    fill(tmp_path / "run", 64, 12)
    told = tell(tmp_path / "run", tmp_path / "exports")
    assert told["births"] == 64 + 11 * 63 and told["generations"] == 12
    assert {"pedigree", "population", "operators", "species", "exports"} <= told["took"].keys()
    assert all(part["seconds"] >= 0 and part["MiB"] > 0 for part in told["took"].values())
    assert len(list((tmp_path / "exports").iterdir())) == 6
