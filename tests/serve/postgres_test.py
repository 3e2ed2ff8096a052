"""`rootstock serve` with its records on PostgreSQL: a paid answer, books that verify, two servers on one set of books that
never admit more than the balance covers, and the way there from a SQLite file. The server is the one that ctest started."""
import concurrent.futures
import json
import subprocess
import unittest

import harness
from two_homes import TwoHomes, psql

class PostgresTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.homes = TwoHomes("serve")
        cls.home, cls.other = cls.homes
        cls.schema, cls.moved, cls.value, cls.command = cls.homes.schema, cls.homes.moved, cls.homes.value, cls.homes.command
        cls.servers = [harness.Server(home, "--connections-max", "2000") for home in cls.homes]

    @classmethod
    def tearDownClass(cls):
        codes = [server.stop() for server in cls.servers]
        logs = cls.homes.logs()
        cls.homes.remove()
        assert codes == [0, 0], logs

    def classify(self, server, key):
        client = harness.Client(server, self.home.keys[key])
        self.addCleanup(client.close)
        return client.classify("tickets", "my card")

    def assertBooksBalance(self):
        books = json.loads(self.command("--json", "ledger", "verify"))
        self.assertEqual(books["problems"], [])
        self.assertEqual(books["open_reservations"], 0)

    def test_the_move_brought_everything(self):
        tables = {table["table"]: table["rows"] for table in self.moved["tables"]}
        for name in ("tenant", "api_key", "adapter", "plan", "ledger_account"):
            self.assertGreater(tables[name], 0, name)

    def test_an_answer_is_booked_by_whichever_server(self):
        for server in self.servers:
            answer = self.classify(server, "acme")
            self.assertEqual(answer.status, 200, answer.text)
            self.assertEqual(self.value(f"SELECT count(*) FROM usage_event WHERE event_id = '{answer.request_id}'"), "1")
        self.assertBooksBalance()

    def test_two_servers_never_overspend_one_balance(self):
        """The tenant's limit is 50 tokens; sixty requests race for it, on both servers at once."""
        tokens = self.classify(self.servers[0], "acme").json["usage"]["total_tokens"]
        with concurrent.futures.ThreadPoolExecutor(60) as threads:
            told = list(threads.map(lambda i: self.classify(self.servers[i % 2], "poor").status, range(60)))
        self.assertEqual(told.count(200), 50 // tokens)
        self.assertEqual(told.count(429), 60 - 50 // tokens)
        self.assertBooksBalance()

    def test_a_backup_is_taken_from_under_the_servers(self):
        self.command("store", "backup", str(self.home.folder / "backup.db"))
        restored = subprocess.run(
            [harness.BIN / "rootstock", "--home", self.other.folder, "--store", f"sqlite:{self.home.folder}/again.db", "store",
             "restore", self.home.folder / "backup.db"], capture_output=True, text=True)
        self.assertEqual(restored.returncode, 0, restored.stderr)

    def test_a_missing_guard_is_noticed(self):
        psql(f"ALTER TABLE {self.schema}.ledger_transfer DISABLE TRIGGER ledger_transfer_no_update")
        try:
            books = subprocess.run([harness.BIN / "rootstock", "--home", self.home.folder, "ledger", "verify"],
                                   capture_output=True, text=True)
            self.assertEqual(books.returncode, 1)
            self.assertIn("ledger_transfer_no_update", books.stdout)
        finally:
            psql(f"ALTER TABLE {self.schema}.ledger_transfer ENABLE TRIGGER ledger_transfer_no_update")

    def test_a_password_is_never_told(self):
        told = subprocess.run([harness.BIN / "rootstock", "--home", self.home.folder, "--store",
                               "postgres://someone:s3cr3t@/nowhere?host=/nowhere", "ledger", "verify"],
                              capture_output=True, text=True)
        self.assertNotEqual(told.returncode, 0)
        self.assertIn("cannot be reached", told.stdout + told.stderr)
        self.assertNotIn("s3cr3t", told.stdout + told.stderr)


if __name__ == "__main__":
    unittest.main()
