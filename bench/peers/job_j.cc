/* SPDX-License-Identifier: Apache-2.0
 * job_j.cc - job J (../job_j.h) as one writes it by hand in C++: librdkafka and Google's protobuf with one message that is reused, a flat
 * hash table, one thread beside librdkafka's. None of Dryport's code but job_j.h, which says what the job is.
 *
 * In:      BROKERS INPUT OUTPUT [-X name=value]...: both topics exist        Out: one JSON line; cells in OUTPUT
 */
#include "../job_j.h"
#include "customs/v1/declaration.pb.h"

#include <vector>

namespace
{

struct Cell {
    uint64_t code = 0; // 0: free
    int64_t hour = 0;
    job_j_sums sums = {0, 0, 0};
    bool dirty = false;
};

// Open addressing, linear probing, at most half full.
class Table
{
  public:
    Table() : cells_(1 << 20)
    {
    }

    // True if the cell was not dirty yet.
    bool Add(uint64_t code, int64_t hour, int64_t value, int64_t mass_mg, uint32_t *place)
    {
        if (2 * used_ >= cells_.size())
            Grow();
        Cell *cell = Find(code, hour);
        if (cell->code == 0) {
            cell->code = code;
            cell->hour = hour;
            used_++;
        }
        cell->sums.count++;
        cell->sums.value += value;
        cell->sums.mass_mg += mass_mg;
        *place = static_cast<uint32_t>(cell - cells_.data());
        bool fresh = !cell->dirty;
        cell->dirty = true;
        return fresh;
    }

    Cell *At(uint32_t place)
    {
        return &cells_[place];
    }

    size_t used() const
    {
        return used_;
    }

    // Places are others after it has grown: the dirty ones anew.
    bool TakeMoved(std::vector<uint32_t> *dirty)
    {
        if (!moved_)
            return false;
        moved_ = false;
        dirty->clear();
        for (size_t i = 0; i < cells_.size(); i++) {
            if (cells_[i].dirty)
                dirty->push_back(static_cast<uint32_t>(i));
        }
        return true;
    }

  private:
    Cell *Find(uint64_t code, int64_t hour)
    {
        size_t mask = cells_.size() - 1;
        uint64_t hash = (code * 0x9E3779B97F4A7C15ULL) ^ (static_cast<uint64_t>(hour) * 0xC2B2AE3D27D4EB4FULL);
        hash ^= hash >> 32;
        for (size_t i = hash & mask;; i = (i + 1) & mask) {
            if (cells_[i].code == 0 || (cells_[i].code == code && cells_[i].hour == hour))
                return &cells_[i];
        }
    }

    void Grow()
    {
        std::vector<Cell> old(2 * cells_.size());
        old.swap(cells_);
        for (const Cell &cell : old) {
            if (cell.code != 0)
                *Find(cell.code, cell.hour) = cell;
        }
        moved_ = true;
    }

    std::vector<Cell> cells_;
    size_t used_ = 0;
    bool moved_ = false;
};

struct Job {
    Table table;
    std::vector<uint32_t> dirty;
    customs::v1::Declaration declaration;
    int64_t invalid = 0;
    int64_t written = 0;
    job_j_sums total = {0, 0, 0};

    bool IsValid(int64_t rate) const
    {
        if (declaration.declaration_id().empty() || rate == 0 || declaration.items_size() == 0 ||
            static_cast<uint32_t>(declaration.items_size()) != declaration.item_count() ||
            declaration.accepted_at_ms() < 0)
            return false;
        for (const auto &item : declaration.items()) {
            if (job_j_code(item.hs_code().data(), item.hs_code().size()) == 0 || item.net_mass_mg() <= 0 ||
                item.invoice_value_minor() < 0)
                return false;
        }
        return true;
    }

    void Take(const void *data, size_t length)
    {
        if (!declaration.ParseFromArray(data, static_cast<int>(length))) {
            invalid++;
            return;
        }
        const std::string &currency = declaration.invoice_currency();
        int64_t rate = job_j_rate(currency.data(), currency.size());
        if (!IsValid(rate)) {
            invalid++;
            return;
        }
        int64_t hour = declaration.accepted_at_ms() / JOB_J_HOUR_MS;
        for (const auto &item : declaration.items()) {
            int64_t value = item.invoice_value_minor() * rate;
            uint32_t place;
            total.count++;
            total.value += value;
            total.mass_mg += item.net_mass_mg();
            if (table.Add(job_j_code(item.hs_code().data(), item.hs_code().size()), hour, value, item.net_mass_mg(),
                          &place))
                dirty.push_back(place);
        }
    }

    void Publish(rd_kafka_t *writer, rd_kafka_topic_t *topic)
    {
        table.TakeMoved(&dirty);
        for (uint32_t place : dirty) {
            Cell *cell = table.At(place);
            cell->dirty = false;
            job_j_write(writer, topic, cell->code, cell->hour, &cell->sums);
        }
        written += static_cast<int64_t>(dirty.size());
        dirty.clear();
    }
};

} // namespace

int main(int argc, char **argv)
{
    if (argc < 4 || argc % 2 != 0) {
        fprintf(stderr, "usage: peer_job_j BROKERS INPUT OUTPUT [-X name=value]...\n");
        return BENCH_EXIT_USAGE;
    }
    static topic_reader reader;
    Job job;
    double started = bench_now_s();
    double published = started;
    bench_name("peer_job_j");
    rd_kafka_t *writer = topic_writer_open(argv[1], 50);
    rd_kafka_topic_t *topic = topic_writer_topic(writer, argv[3]);
    topic_reader_open(&reader, argv[1], argv[2], false, argv + 4, argc - 4);
    for (long count; (count = topic_reader_take(&reader)) > 0;) {
        for (long i = 0; i < count; i++) {
            job.Take(reader.batch[i]->payload, reader.batch[i]->len);
            rd_kafka_message_destroy(reader.batch[i]);
        }
        if (bench_now_s() - published >= JOB_J_PUBLISH_MS / 1000.0) {
            published = bench_now_s();
            job.Publish(writer, topic);
        }
    }
    job.Publish(writer, topic);
    topic_writer_finish(writer);
    job_j_print(reader.taken, job.invalid, static_cast<int64_t>(job.table.used()), job.written, &job.total,
                bench_now_s() - started);
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(writer);
    topic_reader_close(&reader);
    return 0;
}
