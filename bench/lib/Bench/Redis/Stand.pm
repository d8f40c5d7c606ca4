package Bench::Redis::Stand;

# A Redis and an nginx before it, as the benchmarks of Redis need them.

use strict;
use warnings;

use File::Temp ();
use Gate::HTTP qw(http_get);
use Gate::KeyRecord;
use Gate::Redis;
use Gate::Test ();
use Gate::Token qw(api_key key_record mint);
use Time::HiRes ();

use Bench::Load qw(pin_worker pin_other worker_of);

our $ISSUER = 'https://idp.example.com';

my $http = <<'END';
access_log off; keepalive_requests 1000000000; keepalive_timeout 3600s;
gate_zone gate:%%ZONE%%m;
gate_redis main { server 127.0.0.1:%%PORT_redis%%; timeout %%TIMEOUT%%; queue 65536; }
gate_keys partner { redis main; prefix acme_; }
gate_issuer corp { issuer https://idp.example.com; audience orders; jwks_file %%DIR%%/keys.jwks; }
%%FOLLOW%%
server {
    listen 127.0.0.1:%%PORT%% reuseport;
    add_header X-Worker $pid always;
    gate_source key header=Authorization scheme=Bearer;
    location = /key { gate key=partner; empty_gif; }
    location = /token { gate jwt=corp; gate_source jwt header=Authorization scheme=Bearer; empty_gif; }
    location = /open { gate off; empty_gif; }
    location = /metrics { gate off; gate_metrics; }
}
END

# new(with => a stand whose Redis is used too, proxy => sub(stand) that gives the port to ask,
# follow => 1, workers => 1, zone => 64 MB, timeout => '100ms', before => sub(stand) before nginx starts)
sub new {
    my ($class, %opt) = @_;
    my $nginx = Gate::Test->new(log_level => 'notice', workers => $opt{workers} // 1);
    my $self = bless { nginx => $nginx, %opt }, $class;
    if ($opt{with}) { @{$self}{qw(redis store)} = @{ $opt{with} }{qw(redis store)}; }
    else { $self->_start_redis; }
    $nginx->{ports}{redis} = $opt{proxy} ? $opt{proxy}->($self) : $self->{redis}->port;
    $nginx->write_jwks('keys.jwks', 'rs');
    $opt{before}->($self) if $opt{before};
    $self->{began} = Time::HiRes::time();
    $nginx->start($http, vars => { ZONE => $opt{zone} // 64, TIMEOUT => $opt{timeout} // '100ms',
        FOLLOW => $opt{follow} ? 'gate_revocation redis=main;' : '' });
    if (!$opt{workers}) {
        pin_worker($self->worker);
        pin_other($self->{redis}->pid);
    }
    return $self;
}

sub _start_redis {
    my ($self) = @_;
    $self->{redis} = Gate::Redis->new(test => $self->{nginx}, timeout => 60)->start;
    $self->{store} = Gate::KeyRecord->new($self->{redis})->set_up;
    $self->{own_redis} = 1;
    return;
}

sub nginx { return $_[0]{nginx}; }
sub redis { return $_[0]{redis}; }
sub store { return $_[0]{store}; }
sub port { return $_[0]{nginx}->port; }
sub worker { return worker_of($_[0]{nginx}); }
sub began { return $_[0]{began}; }

sub stop {
    my ($self) = @_;
    $self->{nginx}->stop;
    $self->{redis}->stop if $self->{own_redis};
    return;
}

# So many keys that the store has; a file with one in each line.
sub add_keys {
    my ($self, $count) = @_;
    my $client = $self->{redis}->client;
    return _keys($count, sub { $client->calls(map { $self->_record_of($_) } @_) });
}

# The same, of keys that no store has.
sub unknown_keys { my ($count) = @_; return _keys($count, sub { }); }

sub _keys {
    my ($count, $store) = @_;
    my $file = File::Temp->new;
    while ($count > 0) {
        my @keys = map { api_key('acme_') } 1 .. ($count < 1000 ? $count : 1000);
        $store->(@keys);
        print {$file} "$_\n" for @keys;
        $count -= @keys;
    }
    close $file;
    return $file;
}

sub _record_of {
    my ($self, $key) = @_;
    my $record = key_record($key);
    return ['HSET', $self->{store}->name("key:$record->{digest}"), Gate::KeyRecord::fields($record)];
}

sub request { my ($uri, $credential) = @_; return "GET $uri HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer $credential\r\n\r\n"; }
sub token { return mint(claims => { jti => $_[0] }); }

# Polls until `what` is true; the seconds since `since`. Dies after a minute.
sub until_true {
    my ($since, $what) = @_;
    while (Time::HiRes::time() - $since < 60) {
        return Time::HiRes::time() - $since if $what->();
    }
    die "not within a minute\n";
}

# Until the port answers the credential by that status.
sub until_status {
    my ($self, $since, $status, $uri, $credential) = @_;
    return until_true($since, sub {
        return http_get($uri, port => $self->port, headers => [ Authorization => "Bearer $credential" ])->status == $status;
    });
}

1;
